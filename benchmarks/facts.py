"""A log to measure on: one regency, two check-ins a person and workday, every date closed.

Plain office life, so that the figures say what the machinery costs; the hard days cost what they
touch. Absences are about two in a hundred, as in the field.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from shared.events import attendance as words
from shared.events.base import Fact
from shared.events.envelope import canonical, fact_id, headers_of
from shared.events.structs import envelope_of, struct_of

CODE = "53.01"
ZONE = ZoneInfo("Asia/Makassar")
FIRST = date(2026, 1, 1)
ABSENT = 0.02
SATURDAY = 5
LADDER = ((3, "ringan", "teguran_lisan"), (4, "ringan", "teguran_tertulis"))


class Record(NamedTuple):
    """What goes to Kafka; `key` None: to every partition."""

    key: str | None
    value: bytes
    headers: list[tuple[str, bytes]]


def log_of(people: int, days: int, seed: int = 1) -> Iterator[Record]:
    """Give the whole log in order."""
    story = Story(people, seed)
    yield from story.begin()
    yield from story.days(days)


class Story:
    """One regency's log, told in pieces: its beginning, then as many days at a time as wanted."""

    def __init__(self, people: int, seed: int = 1) -> None:
        self.people = people
        self._seed = seed
        self._numbered = _Numbered()
        self._day = 0

    def begin(self) -> Iterator[Record]:
        """Give the regency, its papers, and everybody's first line."""
        yield from _founding(self._numbered)
        for person in range(self.people):
            yield self._numbered.line(_name(person))

    def days(self, count: int) -> Iterator[Record]:
        """Give the check-ins and the closing of the next days."""
        for _ in range(count):
            yield from self.check_ins()
            yield self.closing()

    def check_ins(self) -> Iterator[Record]:
        """Give the check-ins of the open day; none at a weekend."""
        if self.on.weekday() < SATURDAY:
            dice = Random(self._seed * 1_000_003 + self._day)  # noqa: S311  (no secret)
            yield from check_ins(self.people, self.on, dice)

    def closing(self) -> Record:
        """Close the open day: the next one is open."""
        on, self._day = self.on, self._day + 1
        data = {"regency": CODE, "on": on}
        return self._numbered.broadcast(words.WorkdayClosed, data, _noon(self.on))

    def decree(self, on: date) -> Record:
        """Make a date a holiday, as known now."""
        data = {"regency": CODE, "on": on, "scope": "ID", "kind": "holiday", "name": "-"}
        return self._numbered.broadcast(words.CalendarPublished, data, _noon(self.on))

    @property
    def on(self) -> date:
        """Give the open day."""
        return FIRST + timedelta(days=self._day)


def check_ins(people: int, on: date, dice: Random) -> Iterator[Record]:
    """Give the check-ins of one day, in the order of the clock."""
    for hour in (7, 16):
        for person in range(people):
            if dice.random() < ABSENT:
                continue
            minute, second = dice.randrange(5, 35), dice.randrange(60)
            yield _check_in(person, f"{on}T{hour:02}:{minute:02}:{second:02}+08:00")


def late_check_in(person: int, on: date) -> Record:
    """Give a check-in of a day that may be closed long ago: in time where it was made."""
    return _check_in(person, f"{on}T07:10:00+08:00")


def _check_in(person: int, at: str) -> Record:
    name = _name(person)
    id_ = fact_id("CheckInRecorded", "D1", name, at)
    value = _CHECK_IN.replace("@id", id_).replace("@who", name).replace("@at", at)
    return Record(name, value.encode(), headers_of(words.CheckInRecorded.type_name(), id_))


def personal_closings(people: int, on: date) -> Iterator[Record]:
    """Give the closing of a day as a record for each person, for readers without broadcasts."""
    for person in range(people):
        name = _name(person)
        data = {"regency": CODE, "on": on}
        yield _record(words.WorkdayClosed, data, _noon(on), name, name, None)


class _Numbered:
    """Stamps broadcasts with their numbers."""

    def __init__(self) -> None:
        self._last = 0

    def broadcast(self, kind: type[Fact], data: dict[str, Any], at: str) -> Record:
        """Give a broadcast."""
        self._last += 1
        return _record(kind, data, at, None, CODE, self._last)

    def line(self, name: str) -> Record:
        """Give a person's line."""
        data = {
            "employee_id": name,
            "nip": None,
            "name": None,
            "regency": CODE,
            "unit_id": "U1",
            "employment": "PNS",
            "position_level": None,
            "supervisor_id": None,
            "schedule_id": None,
            "active_from": date(2020, 1, 1),
            "active_to": None,
        }
        return _record(words.EmployeeRegistered, data, _noon(FIRST), name, name, None)


def _founding(numbered: _Numbered) -> Iterator[Record]:
    at = _noon(FIRST)
    yield numbered.broadcast(
        words.RegencyRegistered,
        {"code": CODE, "name": "-", "province": "53", "timezone": ZONE.key},
        at,
    )
    unit = {"unit_id": "U1", "regency": CODE, "name": "-", "parent_unit_id": None}
    yield numbered.broadcast(
        words.UnitRegistered, {**unit, "head_employee_id": None, "schedule_id": "kantor"}, at
    )
    office = [
        {"name": "masuk", "opens": 390, "due": 450, "closes": 540, "kind": "presence",
         "direction": "in"},
        {"name": "pulang", "opens": 900, "due": 960, "closes": 1140, "kind": "presence",
         "direction": "out"},
    ]  # fmt: skip
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), office)
    schedule = {"id": "kantor", "regency": CODE, "effective_from": FIRST, "slack_minutes": 30}
    yield numbered.broadcast(words.SchedulePublished, {**schedule, "week": week}, at)
    tiers = [
        {"days": days, "level": level, "sanction": sanction, "article": "9(2) b"}
        for days, level, sanction in LADDER
    ]
    rules = {
        "id": "pp94-2021",
        "version": 1,
        "legal_basis": "PP 94/2021",
        "regency": "*",
        "applies_to": ["PNS"],
        "effective_from": date(2021, 8, 31),
        "counting": {},
        "tiers": {"cumulative": tiers, "consecutive": []},
        "digest": "-",
    }
    yield numbered.broadcast(words.RuleSetPublished, rules, at)


def _record(  # noqa: PLR0913, PLR0917  (the attributes that differ)
    kind: type[Fact],
    data: dict[str, Any],
    at: str,
    key: str | None,
    subject: str,
    number: int | None,
) -> Record:
    id_ = fact_id(kind.__name__, subject, at, number)
    envelope = envelope_of(kind)(
        broadcastseq=number,
        data=msgspec.convert(data, struct_of(kind)),
        id=id_,
        recordedtime=at,
        regency=CODE,
        source="/attendance",
        subject=subject,
        time=at,
        type=kind.type_name(),
    )
    return Record(key, canonical(envelope), headers_of(kind.type_name(), id_))


def _name(person: int) -> str:
    return f"E{person:06}"


def _noon(on: date) -> str:
    return datetime(on.year, on.month, on.day, 12, tzinfo=ZONE).isoformat()


_CHECK_IN = canonical(
    envelope_of(words.CheckInRecorded)(
        data=msgspec.convert(
            {
                "employee_id": "@who",
                "occurred_at": "2026-01-01T00:00:00+08:00",
                "received_at": "2026-01-01T00:00:00+08:00",
                "via": "device",
                "device": {"serial": "D1", "pin": "1", "status": "255", "verify": "1"},
            },
            struct_of(words.CheckInRecorded),
        ),
        id="@id",
        recordedtime="@at",
        regency=CODE,
        source="/attendance",
        subject="@who",
        time="@at",
        type=words.CheckInRecorded.type_name(),
    )
).decode().replace("2026-01-01T00:00:00+08:00", "@at")  # fmt: skip
