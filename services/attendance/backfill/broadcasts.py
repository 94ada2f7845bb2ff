"""Facts of whole regencies: what the tables and documents of a dataset publish (design 2)."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import NamedTuple

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
from services.attendance.facts.closings import NOTHING_CLOSED, Closed
from services.attendance.facts.envelopes import FactContext, sealed
from shared.events import attendance as words
from shared.events.base import Fact
from shared.events.envelope import canonical, fact_id
from shared.events.sealing import Sealer, person_kid, regency_kid
from shared.events.structs import maker_of, struct_from

FIRST_OF_ALL = 0  # Rank and line do not matter where the order of the tables decides.
_regency = maker_of(words.RegencyRegistered)
_unit = maker_of(words.UnitRegistered)
_device = maker_of(words.DeviceRegistered)
_pin = maker_of(words.PinAssigned)
_decree = maker_of(words.CalendarPublished)
_outage = maker_of(words.OutageDeclared)
_closed = maker_of(words.WorkdayClosed)


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

    def _context(self, code: str) -> FactContext:
        return FactContext(code, code, self._dataset.clocks.regency(code))

    def _entry(self, id_: str, where: Where, data: Fact) -> Entry:
        known = BEFORE_ALL if where.at is None else where.at
        make = partial(planned, id_, self._context(where.code), known, data)
        return Entry(known, where.rank, where.file, where.line, where.code, make)

    def _places(self) -> Iterator[Entry]:
        for row in self._dataset.regencies.values():
            natural = row.code, row.name, row.province, row.timezone
            id_ = self._ordinals.id(words.RegencyRegistered, *natural)
            where = Where(FIRST_OF_ALL, tables.REGENCIES.file, row.line, None, row.code)
            data = _regency(
                code=row.code, name=row.name, province=row.province, timezone=row.timezone
            )
            yield self._entry(id_, where, data)

    def _units(self) -> Iterator[Entry]:
        for row in self._dataset.units:
            id_ = self._ordinals.id(
                words.UnitRegistered,
                row.unit_id,
                row.regency,
                row.name,
                row.parent_unit_id,
                row.head_employee_id,
                row.schedule_id,
            )
            where = Where(FIRST_OF_ALL, tables.UNITS.file, row.line, None, row.regency)
            data = _unit(
                unit_id=row.unit_id,
                regency=row.regency,
                name=row.name,
                parent_unit_id=row.parent_unit_id,
                head_employee_id=row.head_employee_id,
                schedule_id=row.schedule_id,
            )
            yield self._entry(id_, where, data)

    def _devices(self) -> Iterator[Entry]:
        for row in self._dataset.devices.values():
            natural = row.serial, row.regency, row.unit_id, row.timezone
            id_ = self._ordinals.id(words.DeviceRegistered, *natural)
            where = Where(FIRST_OF_ALL, tables.DEVICES.file, row.line, None, row.regency)
            data = _device(
                serial=row.serial, regency=row.regency, unit_id=row.unit_id, timezone=row.timezone
            )
            yield self._entry(id_, where, data)

    def _pins(self) -> Iterator[Entry]:
        ids = pin_ids(self._dataset)
        for row in self._dataset.pins:
            if self._sealer.is_forgotten(person_kid(row.employee_id)):
                continue
            code = self._dataset.devices[row.serial].regency
            where = Where(Rank.PINS, tables.PINS.file, row.line, row.recorded_at, code)
            data = _pin(
                serial=row.serial,
                pin=row.pin,
                employee_id=row.employee_id,
                valid_from=row.valid_from,
                valid_to=row.valid_to,
            )
            yield self._entry(ids[row.line], where, data)

    def _schedules(self) -> Iterator[Entry]:
        for document in self._dataset.schedules:
            content = canonical(document.content).decode()
            data = struct_from(words.SchedulePublished, document.content)
            for code, at in sorted(document.known.items()):
                id_ = self._ordinals.id(words.SchedulePublished, code, content, at)
                where = Where(Rank.SCHEDULES, document.file, 1, at, code)
                yield self._entry(id_, where, data)

    def _rule_sets(self) -> Iterator[Entry]:
        published: dict[str, Entry] = {}
        for document in self._dataset.rule_sets:
            content = document.content
            digest = hashlib.sha256(canonical(content)).hexdigest()
            data = struct_from(words.RuleSetPublished, {**content, "digest": digest})
            own = content["regency"], content["id"], content["version"]
            for code, at in sorted(document.known.items()):
                id_ = fact_id("RuleSetPublished", code, *own)
                where = Where(Rank.RULE_SETS, document.file, 1, at, code)
                entry = self._entry(id_, where, data)
                published[id_] = min(published.get(id_, entry), entry, key=_known_at)
        yield from published.values()

    def _calendar(self) -> Iterator[Entry]:
        for row in self._dataset.calendar:
            data = _decree(on=row.on, scope=row.scope, kind=row.kind, name=row.name)
            for code, at in sorted(row.recorded_at.items()):
                natural = code, row.on.isoformat(), row.scope, row.kind, row.name, at
                id_ = self._ordinals.id(words.CalendarPublished, *natural)
                where = Where(Rank.CALENDAR, tables.CALENDAR.file, row.line, at, code)
                yield self._entry(id_, where, data)

    def _outages(self) -> Iterator[Entry]:
        for row in self._dataset.outages:
            id_ = fact_id("OutageDeclared", row.outage_id)
            file, code = tables.OUTAGES.file, row.regency
            where = Where(Rank.OUTAGES, file, row.line, row.recorded_at, code)
            yield self._entry(id_, where, self._outage(row))

    def _outage(self, row: rows.Outage) -> words.OutageDeclared:
        clock = self._dataset.clocks.regency(row.regency)
        seal = partial(sealed, self._sealer, words.OutageDeclared, regency_kid(row.regency))
        return _outage(
            outage_id=row.outage_id,
            regency=row.regency,
            unit_id=row.unit_id,
            serial=row.serial,
            begins_at=clock.aware(row.begins_at),
            ends_at=None if row.ends_at is None else clock.aware(row.ends_at),
            reason=None if row.reason is None else seal(row.regency, row.reason),
        )


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


def closings(
    dataset: Dataset, through: date, closed: Mapping[str, Closed] = NOTHING_CLOSED
) -> Iterator[Entry]:
    """Give every regency's closings to a date, one for every calendar date (A1).

    Where some are on the log, they go on with the day after the last of them.
    """
    for code, first in first_closings(dataset).items():
        context = FactContext(code, code, dataset.clocks.regency(code))
        on = closed[code].last + NEXT if code in closed else first
        while on <= through:
            at = closing_at(dataset, code, on)
            make = partial(_close, context, at, on)
            yield Entry(at, Rank.CLOSINGS, "", 0, code, make)
            on += NEXT


def within(entries: Iterable[Entry], cuts: Cuts) -> Iterator[Entry]:
    """Leave out what becomes known after its regency's last fact (A2)."""
    return (entry for entry in entries if entry.at <= cuts.regency(entry.code))


def _close(context: FactContext, at: int, on: date) -> Planned:
    id_ = fact_id("WorkdayClosed", context.regency, on.isoformat())
    return planned(id_, context, at, _closed(regency=context.regency, on=on))


def _known_at(entry: Entry) -> int:
    return entry.at
