"""Facts of whole regencies: what the tables and documents of a dataset publish (design 2)."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from typing import Any, NamedTuple

import msgspec

from services.attendance.backfill.cuts import Cuts
from services.attendance.backfill.plan_entries import (
    BEFORE_ALL,
    Entry,
    Ordinals,
    Planned,
    Rank,
    planned,
)
from services.attendance.dataset import rows, tables
from services.attendance.dataset.closings import NEXT, closing_at, first_closings
from services.attendance.dataset.dataset import Dataset
from services.attendance.facts.envelopes import FactContext, sealed
from shared.events import attendance as words
from shared.events.base import Fact
from shared.events.envelope import canonical, fact_id
from shared.events.sealing import Sealer, person_kid, regency_kid
from shared.events.structs import struct_of

FIRST_OF_ALL = 0  # Rank and line do not matter where the order of the tables decides.
Data = Callable[[], dict[str, Any]]


class Where(NamedTuple):
    """Where a broadcast comes from, when it becomes known, and in which regency."""

    rank: int
    file: str
    line: int
    at: int | None
    code: str


class Broadcasts:
    """The broadcast facts of a dataset: those known from the beginning, and those with a time."""

    def __init__(self, dataset: Dataset, sealer: Sealer) -> None:
        self._dataset = dataset
        self._sealer = sealer
        self._ordinals = Ordinals()
        self.founding: list[Entry] = [*self._places(), *self._units(), *self._devices()]
        self.timed: list[Entry] = []
        for entry in (*self._pins(), *self._schedules(), *self._rule_sets()):
            (self.founding if entry.at == BEFORE_ALL else self.timed).append(entry)
        self.timed += [*self._calendar(), *self._outages()]

    def _place(self, code: str) -> FactContext:
        return FactContext(code, code, self._dataset.clocks.regency(code))

    def _entry(self, kind: type[Fact], id_: str, where: Where, data: Data) -> Entry:
        known = BEFORE_ALL if where.at is None else where.at
        make = partial(_make, kind, id_, self._place(where.code), known, data)
        return Entry(known, where.rank, where.file, where.line, where.code, make)

    def _places(self) -> Iterator[Entry]:
        for row in self._dataset.regencies.values():
            data = {n: getattr(row, n) for n in ("code", "name", "province", "timezone")}
            id_ = self._ordinals.id(words.RegencyRegistered, *data.values())
            where = Where(FIRST_OF_ALL, tables.REGENCIES.file, row.line, None, row.code)
            yield self._entry(words.RegencyRegistered, id_, where, data.copy)

    def _units(self) -> Iterator[Entry]:
        names = [*words.UnitRegistered.model_fields]
        for row in self._dataset.units:
            data = {name: getattr(row, name) for name in names}
            id_ = self._ordinals.id(words.UnitRegistered, *data.values())
            where = Where(FIRST_OF_ALL, tables.UNITS.file, row.line, None, row.regency)
            yield self._entry(words.UnitRegistered, id_, where, data.copy)

    def _devices(self) -> Iterator[Entry]:
        names = [*words.DeviceRegistered.model_fields]
        for row in self._dataset.devices.values():
            data = {name: getattr(row, name) for name in names}
            id_ = self._ordinals.id(words.DeviceRegistered, *data.values())
            where = Where(FIRST_OF_ALL, tables.DEVICES.file, row.line, None, row.regency)
            yield self._entry(words.DeviceRegistered, id_, where, data.copy)

    def _pins(self) -> Iterator[Entry]:
        names = [*words.PinAssigned.model_fields]
        ids = pin_ids(self._dataset)
        for row in self._dataset.pins:
            if self._sealer.is_forgotten(person_kid(row.employee_id)):
                continue
            data = {name: getattr(row, name) for name in names}
            code = self._dataset.devices[row.serial].regency
            where = Where(Rank.PINS, tables.PINS.file, row.line, row.recorded_at, code)
            yield self._entry(words.PinAssigned, ids[row.line], where, data.copy)

    def _schedules(self) -> Iterator[Entry]:
        for document in self._dataset.schedules:
            content = canonical(document.content).decode()
            for code, at in sorted(document.known.items()):
                id_ = self._ordinals.id(words.SchedulePublished, code, content, at)
                where = Where(Rank.SCHEDULES, document.file, 1, at, code)
                data = partial(_fields, words.SchedulePublished, document.content)
                yield self._entry(words.SchedulePublished, id_, where, data)

    def _rule_sets(self) -> Iterator[Entry]:
        published: dict[str, Entry] = {}
        for document in self._dataset.rule_sets:
            content = document.content
            digest = hashlib.sha256(canonical(content)).hexdigest()
            data = partial(_fields, words.RuleSetPublished, {**content, "digest": digest})
            own = content["regency"], content["id"], content["version"]
            for code, at in sorted(document.known.items()):
                id_ = fact_id("RuleSetPublished", code, *own)
                where = Where(Rank.RULE_SETS, document.file, 1, at, code)
                entry = self._entry(words.RuleSetPublished, id_, where, data)
                published[id_] = min(published.get(id_, entry), entry, key=_known_at)
        yield from published.values()

    def _calendar(self) -> Iterator[Entry]:
        for row in self._dataset.calendar:
            data = {"on": row.on, "scope": row.scope, "kind": row.kind, "name": row.name}
            for code, at in sorted(row.recorded_at.items()):
                natural = code, row.on.isoformat(), row.scope, row.kind, row.name, at
                id_ = self._ordinals.id(words.CalendarPublished, *natural)
                where = Where(Rank.CALENDAR, tables.CALENDAR.file, row.line, at, code)
                yield self._entry(words.CalendarPublished, id_, where, data.copy)

    def _outages(self) -> Iterator[Entry]:
        for row in self._dataset.outages:
            id_ = fact_id("OutageDeclared", row.outage_id)
            file, code = tables.OUTAGES.file, row.regency
            where = Where(Rank.OUTAGES, file, row.line, row.recorded_at, code)
            data = partial(self._outage, row)
            yield self._entry(words.OutageDeclared, id_, where, data)

    def _outage(self, row: rows.Outage) -> dict[str, Any]:
        clock = self._dataset.clocks.regency(row.regency)
        kid = regency_kid(row.regency)
        return {
            "outage_id": row.outage_id,
            "regency": row.regency,
            "unit_id": row.unit_id,
            "serial": row.serial,
            "begins_at": clock.aware(row.begins_at),
            "ends_at": None if row.ends_at is None else clock.aware(row.ends_at),
            "reason": sealed(self._sealer, words.OutageDeclared, kid, row.regency, row.reason),
        }


def pin_ids(dataset: Dataset) -> dict[int, str]:
    """Give the id of each `PinAssigned`, by the line of its row."""
    ordinals = Ordinals()
    return {
        row.line: ordinals.id(
            words.PinAssigned,
            dataset.devices[row.serial].regency,
            row.serial,
            row.pin,
            row.employee_id,
            row.valid_from.isoformat(),
            None if row.valid_to is None else row.valid_to.isoformat(),
            row.recorded_at,
        )
        for row in dataset.pins
    }


def closings(dataset: Dataset, through: date) -> Iterator[Entry]:
    """Give every regency's closings to a date, one for every calendar date (A1)."""
    for code, first in first_closings(dataset).items():
        place = FactContext(code, code, dataset.clocks.regency(code))
        on = first
        while on <= through:
            at = closing_at(dataset, code, on)
            make = partial(_close, place, at, on)
            yield Entry(at, Rank.CLOSINGS, "", 0, code, make)
            on += NEXT


def within(entries: Iterable[Entry], cuts: Cuts) -> Iterator[Entry]:
    """Leave out what becomes known after its regency's last fact (A2)."""
    return (entry for entry in entries if entry.at <= cuts.regency(entry.code))


def _close(place: FactContext, at: int, on: date) -> Planned:
    id_ = fact_id("WorkdayClosed", place.regency, on.isoformat())
    return planned(words.WorkdayClosed, id_, place, at, {"regency": place.regency, "on": on})


def _make(kind: type[Fact], id_: str, place: FactContext, at: int, data: Data) -> Planned:
    return planned(kind, id_, place, at, data())


def _fields(kind: type[Fact], content: dict[str, Any]) -> dict[str, Any]:
    """Give the fields of a document's fact, the mappings within as structs."""
    return msgspec.structs.asdict(msgspec.convert(content, struct_of(kind)))


def _known_at(entry: Entry) -> int:
    return entry.at
