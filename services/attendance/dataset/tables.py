"""The CSV tables of a dataset: their columns, and what these point at (design 8.1)."""

from collections.abc import Mapping
from typing import NamedTuple, get_args

from services.attendance.dataset.cells import (
    Column,
    day,
    end,
    maybe,
    moment,
    needed,
    one_of,
    regency_code,
    text,
    zone,
)
from shared.events.attendance import CalendarKind, Employment, Via


class Table(NamedTuple):
    """A CSV file: what its columns hold.

    `points_at` says of a column whose id it names; `spans` names two dates in their order; `id`
    is the column that other rows point at, or that must not come twice.
    """

    file: str
    columns: Mapping[str, Column]
    points_at: Mapping[str, str] = {}
    spans: tuple[str, str] | None = None
    id: str | None = None
    optional: Mapping[str, Column] = {}
    obligatory: bool = False


REGENCIES = Table(
    "regencies.csv",
    {
        "code": needed(regency_code),
        "name": maybe(text, ""),
        "province": needed(text),
        "timezone": needed(zone),
    },
    id="code",
    obligatory=True,
)
UNITS = Table(
    "units.csv",
    {
        "unit_id": needed(text),
        "regency": needed(text),
        "name": maybe(text, ""),
        "parent_unit_id": maybe(text),
        "head_employee_id": maybe(text),
        "schedule_id": maybe(text),
    },
    points_at={
        "regency": "regency",
        "parent_unit_id": "unit",
        "head_employee_id": "employee",
        "schedule_id": "schedule",
    },
    id="unit_id",
)
EMPLOYEES = Table(
    "employees.csv",
    {
        "employee_id": needed(text),
        "nip": maybe(text),
        "name": maybe(text),
        "regency": needed(text),
        "unit_id": maybe(text),
        "employment": needed(one_of(get_args(Employment))),
        "position_level": maybe(text),
        "supervisor_id": maybe(text),
        "schedule_id": maybe(text),
        "active_from": needed(day),
        "active_to": maybe(day),
        "recorded_at": needed(moment),
    },
    points_at={"regency": "regency", "unit_id": "unit", "schedule_id": "schedule"},
    spans=("active_from", "active_to"),
    id="employee_id",
    obligatory=True,
)
CONTACTS = Table(
    "contacts.csv",
    {"employee_id": needed(text), "channel": needed(text), "address": needed(text)},
    points_at={"employee_id": "employee"},
)
DEVICES = Table(
    "devices.csv",
    {
        "serial": needed(text),
        "regency": needed(text),
        "unit_id": maybe(text),
        "timezone": maybe(zone),
    },
    points_at={"regency": "regency", "unit_id": "unit"},
    id="serial",
)
PINS = Table(
    "pins.csv",
    {
        "serial": needed(text),
        "pin": needed(text),
        "employee_id": needed(text),
        "valid_from": needed(day),
        "valid_to": maybe(day),
    },
    points_at={"serial": "device", "employee_id": "employee"},
    spans=("valid_from", "valid_to"),
    optional={"recorded_at": maybe(moment)},
)
SHIFTS = Table(
    "shifts.csv",
    {
        "employee_id": needed(text),
        "date": needed(day),
        "schedule_id": maybe(text),
        "recorded_at": needed(moment),
    },
    points_at={"employee_id": "employee", "schedule_id": "schedule"},
)
CALENDAR = Table(
    "calendar.csv",
    {
        "date": needed(day),
        "scope": needed(text),
        "kind": needed(one_of(get_args(CalendarKind))),
        "name": maybe(text, ""),
        "recorded_at": needed(moment),
    },
    points_at={"scope": "scope"},
)
EXCUSES = Table(
    "excuses.csv",
    {
        "excuse_id": needed(text),
        "employee_id": needed(text),
        "from": needed(day),
        "to": needed(day),
        "kind": maybe(text, ""),
        "document": maybe(text),
        "recorded_at": needed(moment),
        "revoked_at": maybe(moment),
    },
    points_at={"employee_id": "employee"},
    spans=("from", "to"),
    id="excuse_id",
)
OUTAGES = Table(
    "outages.csv",
    {
        "outage_id": needed(text),
        "regency": needed(text),
        "unit_id": maybe(text),
        "serial": maybe(text),
        "from": needed(moment),
        "to": maybe(end),
        "reason": maybe(text),
        "recorded_at": needed(moment),
    },
    points_at={"regency": "regency", "unit_id": "unit", "serial": "device"},
    id="outage_id",
)
LATE_UPLOADS = Table(
    "late-uploads.csv",
    {
        "serial": needed(text),
        "from": needed(moment),
        "to": needed(end),
        "received_at": needed(moment),
    },
    points_at={"serial": "device"},
)
CHECK_INS = Table(
    "check-ins.csv",
    {
        "employee_id": needed(text),
        "occurred_at": needed(moment),
        "received_at": maybe(moment),
        "via": needed(one_of(get_args(Via))),
    },
    points_at={"employee_id": "employee"},
)
TABLES = (
    REGENCIES, UNITS, EMPLOYEES, CONTACTS, DEVICES, PINS,
    SHIFTS, CALENDAR, EXCUSES, OUTAGES, LATE_UPLOADS, CHECK_INS,
)  # fmt: skip
