"""The rows of a dataset that could be read: frozen, their references known to exist.

Units: `…_at` are instants in seconds since 1970 UTC; dates are `datetime.date`; `line` counts from
1, the header included. `None` is a blank cell.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.events.attendance import CalendarKind, Employment, Via


@dataclass(frozen=True, slots=True)
class Regency:
    """A row of regencies.csv."""

    line: int
    code: str
    name: str
    province: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A row of units.csv."""

    line: int
    unit_id: str
    regency: str
    name: str
    parent_unit_id: str | None
    head_employee_id: str | None
    schedule_id: str | None


@dataclass(frozen=True, slots=True)
class Employee:
    """A row of employees.csv: one dated line of a person's history (semantics A7)."""

    line: int
    employee_id: str
    nip: str | None
    name: str | None
    regency: str
    unit_id: str | None
    employment: Employment
    position_level: str | None
    supervisor_id: str | None
    schedule_id: str | None
    active_from: date
    active_to: date | None
    recorded_at: int


@dataclass(frozen=True, slots=True)
class Contact:
    """A row of contacts.csv."""

    line: int
    employee_id: str
    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Device:
    """A row of devices.csv."""

    line: int
    serial: str
    regency: str
    unit_id: str | None
    timezone: str | None


@dataclass(frozen=True, slots=True)
class Pin:
    """A row of pins.csv; `recorded_at` is None for a row known from the beginning (A6)."""

    line: int
    serial: str
    pin: str
    employee_id: str
    valid_from: date
    valid_to: date | None
    recorded_at: int | None


@dataclass(frozen=True, slots=True)
class Shift:
    """A row of shifts.csv."""

    line: int
    employee_id: str
    on: date
    schedule_id: str | None
    recorded_at: int


@dataclass(frozen=True, slots=True)
class Decree:
    """A row of calendar.csv, its `recorded_at` in each regency that it covers (A3)."""

    line: int
    on: date
    scope: str
    kind: CalendarKind
    name: str
    recorded_at: dict[str, int]


@dataclass(frozen=True, slots=True)
class Excuse:
    """A row of excuses.csv."""

    line: int
    excuse_id: str
    employee_id: str
    first_on: date
    last_on: date
    kind: str
    document: str | None
    recorded_at: int
    revoked_at: int | None


@dataclass(frozen=True, slots=True)
class Outage:
    """A row of outages.csv; `ends_at` None is until further notice."""

    line: int
    outage_id: str
    regency: str
    unit_id: str | None
    serial: str | None
    begins_at: int
    ends_at: int | None
    reason: str | None
    recorded_at: int


@dataclass(frozen=True, slots=True)
class LateUpload:
    """A row of late-uploads.csv: punches of `begins_at`..`ends_at` arrived only then (A13)."""

    line: int
    serial: str
    begins_at: int
    ends_at: int
    received_at: int


@dataclass(frozen=True, slots=True)
class CheckIn:
    """A row of check-ins.csv."""

    line: int
    employee_id: str
    occurred_at: int
    received_at: int
    via: Via


@dataclass(frozen=True, slots=True)
class Document:
    """A schedule or a rule set: its content, typed, and when it is known in each regency.

    `known` maps the regencies that it concerns to an instant, or to None for one known from the
    beginning (A6).
    """

    file: str
    content: dict[str, Any]
    known: dict[str, int | None]
