"""The CSV tables of a dataset: their columns (design 8.1), read row by row into plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, get_args

from services.attendance.dataset.cells import (
    Column,
    Unreadable,
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
from services.attendance.dataset.csvfile import Cells, read_csv
from services.attendance.dataset.findings import Finding, Findings, UnusableDataset
from shared.events.attendance import CalendarKind, Employment, Via

Row = dict[str, Any]  # Values by column, and the row's "line".


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


@dataclass
class Read:
    """The rows of a table that can be read, and the ids of those that cannot."""

    rows: list[Row] = field(default_factory=list)
    broken_ids: set[str] = field(default_factory=set)


def read_table(folder: Path, table: Table, findings: Findings) -> Read:
    """Read a table of the folder; one that is not obligatory may be missing.

    Errors: UnusableDataset.
    """
    path = folder / table.file
    if not path.is_file():
        if table.obligatory:
            raise UnusableDataset([Finding(table.file, 1, "", "", "missing_file")])
        return Read()
    read = Read()
    columns = {**table.columns, **table.optional}
    for cells in read_csv(path, table.file, [*table.columns], [*table.optional], findings):
        row = _row(cells, table, columns, findings)
        if row is not None:
            read.rows.append(row)
        elif table.id is not None:
            read.broken_ids.add(cells.by_column[table.id])
    return read


def _row(
    cells: Cells, table: Table, columns: Mapping[str, Column], findings: Findings
) -> Row | None:
    place = table.file, cells.line
    row: Row = {"line": cells.line}
    good = True
    for name, cell in cells.by_column.items():
        try:
            row[name] = columns[name].value(cell)
        except Unreadable as unreadable:
            findings.error(place, name, cell, unreadable.code, **unreadable.details)
            good = False
    if good and table.spans is not None:
        first, last = table.spans
        if row[last] is not None and row[last] < row[first]:
            findings.error(place, last, cells.by_column[last], "end_before_beginning")
            good = False
    return row if good else None
