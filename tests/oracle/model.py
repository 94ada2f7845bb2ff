"""What a dataset holds, row by row, once it could be read."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

GROUPS = {
    "PNS": "PNS",
    "CPNS": "PNS",
    "PPPK": "PPPK",
    "PPPK_PARUH_WAKTU": "PPPK_PARUH_WAKTU",
    "PTT": "PTT",
}
"""Classes of employment, and the group within which their days add up (C1)."""
LEVELS = {"ringan": 1, "sedang": 2, "berat": 3}
EVERYWHERE = "*"
COUNTRY = "ID"


@dataclass(frozen=True)
class Source:
    """Where a row stands."""

    file: str
    line: int


@dataclass(frozen=True)
class Regency:
    code: str
    province: str
    zone: ZoneInfo


@dataclass(frozen=True)
class Unit:
    unit_id: str
    regency: str
    parent: str | None
    schedule_id: str | None


@dataclass(frozen=True)
class Device:
    serial: str
    regency: str
    zone: ZoneInfo


@dataclass(frozen=True)
class Checkpoint:
    """Times are measured from the local midnight with which the date begins."""

    name: str
    opens: timedelta
    due: timedelta
    closes: timedelta
    presence: bool
    direction: str


@dataclass(frozen=True)
class Schedule:
    """One version; `week` holds the checkpoints from Monday (0) to Sunday (6)."""

    schedule_id: str
    regency: str
    effective_from: date
    slack: timedelta
    on_holidays: bool
    week: tuple[tuple[Checkpoint, ...], ...]


@dataclass(frozen=True)
class Tier:
    days: int
    level: str
    sanction: str
    article: str


@dataclass(frozen=True)
class RuleSet:
    rule_id: str
    version: int
    regency: str
    applies_to: frozenset[str]
    effective_from: date
    window: int
    min_marks: int
    crosses_year: bool
    lateness_minutes: int | None
    cumulative: tuple[Tier, ...]
    consecutive: tuple[Tier, ...]


@dataclass(frozen=True)
class Line:
    """One line of an employee's dated history."""

    employee: str
    regency: str
    unit: str
    employment: str
    schedule_id: str | None
    active_from: date
    active_to: date | None


@dataclass(frozen=True)
class Pin:
    serial: str
    pin: str
    employee: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class Shift:
    employee: str
    day: date
    schedule_id: str | None


@dataclass(frozen=True)
class Decree:
    """One row of the calendar."""

    day: date
    scope: str
    kind: str


@dataclass(frozen=True)
class Excuse:
    excuse_id: str
    employee: str
    first: date
    last: date


@dataclass(frozen=True)
class Revocation:
    excuse_id: str
    employee: str


@dataclass(frozen=True)
class Outage:
    regency: str
    unit: str | None
    serial: str | None
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class CheckIn:
    """A check-in of a known person; `key` is what makes it one (A14)."""

    employee: str
    at: datetime
    key: tuple[str, ...]


@dataclass(frozen=True)
class Closing:
    regency: str
    day: date


Row = (
    Line
    | Pin
    | Shift
    | Decree
    | Excuse
    | Revocation
    | Outage
    | CheckIn
    | Closing
    | Schedule
    | RuleSet
)
