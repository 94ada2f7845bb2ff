"""Reads the CSV files of a dataset: cells by column name, and the rows that are none (A17)."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from tests.oracle.model import Source

COLUMNS = {
    "regencies.csv": "code,name,province,timezone",
    "units.csv": "unit_id,regency,name,parent_unit_id,head_employee_id,schedule_id",
    "employees.csv": "employee_id,nip,name,regency,unit_id,employment,position_level,"
    "supervisor_id,schedule_id,active_from,active_to,recorded_at",
    "contacts.csv": "employee_id,channel,address",
    "devices.csv": "serial,regency,unit_id,timezone",
    "pins.csv": "serial,pin,employee_id,valid_from,valid_to",
    "shifts.csv": "employee_id,date,schedule_id,recorded_at",
    "calendar.csv": "date,scope,kind,name,recorded_at",
    "excuses.csv": "excuse_id,employee_id,from,to,kind,document,recorded_at,revoked_at",
    "outages.csv": "outage_id,regency,unit_id,serial,from,to,reason,recorded_at",
    "late-uploads.csv": "serial,from,to,received_at",
    "check-ins.csv": "employee_id,occurred_at,received_at,via",
}
OPTIONAL_COLUMNS = {"pins.csv": {"recorded_at"}}
OBLIGATORY = ("regencies.csv", "employees.csv")


class CannotLoadError(Exception):
    """The dataset cannot be loaded at all (exit code 2)."""


@dataclass(frozen=True)
class Cells:
    """One row of a table, cells trimmed; a column that is absent reads as blank."""

    source: Source
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")

    def needed(self, column: str) -> str:
        """Give a cell that must not be blank. Errors: ValueError."""
        text = self[column]
        if not text:
            msg = f"{column} is blank"
            raise ValueError(msg)
        return text

    def optional(self, column: str) -> str | None:
        return self[column] or None


@dataclass(frozen=True)
class Table:
    rows: list[Cells]
    bad: list[Source]


def read_tables(folder: Path) -> dict[str, Table]:
    """Read every CSV of the dataset. Errors: CannotLoadError."""
    return {name: read_table(folder / name) for name in COLUMNS}


def read_table(path: Path) -> Table:
    if not path.is_file():
        if path.name in OBLIGATORY:
            msg = f"{path.name} is missing"
            raise CannotLoadError(msg)
        return Table([], [])
    text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [cell.strip() for cell in next(reader, [])]
    check_header(path.name, header)

    table = Table([], [])
    line = reader.line_num + 1
    for raw in reader:
        source = Source(path.name, line)
        line = reader.line_num + 1
        if not raw:
            continue
        cells = [cell.strip() for cell in raw]
        if len(cells) != len(header) or any(not_utf8(cell) for cell in cells):
            table.bad.append(source)
        else:
            table.rows.append(Cells(source, dict(zip(header, cells, strict=True))))
    return table


def check_header(name: str, header: list[str]) -> None:
    wanted = set(COLUMNS[name].split(","))
    allowed = wanted | OPTIONAL_COLUMNS.get(name, set())
    if not wanted <= set(header) <= allowed or len(set(header)) != len(header):
        msg = f"{name}: unknown or missing columns in {header}"
        raise CannotLoadError(msg)


def not_utf8(text: str) -> bool:
    return any("\udc80" <= letter <= "\udcff" for letter in text)
