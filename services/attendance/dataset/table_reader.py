"""A CSV table, read row by row into plain values; rows that cannot be read become findings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.attendance.dataset.cells import Column, UnreadableError
from services.attendance.dataset.csvfile import Cells, read_csv
from services.attendance.dataset.findings import Finding, Findings, UnusableDatasetError
from services.attendance.dataset.tables import Table

Row = dict[str, Any]  # Values by column, and the row's "line".


@dataclass
class Read:
    """The rows of a table that can be read, and the ids of those that cannot."""

    rows: list[Row] = field(default_factory=list)
    broken_ids: set[str] = field(default_factory=set)


def read_table(folder: Path, table: Table, findings: Findings) -> Read:
    """Read a table of the folder; one that is not obligatory may be missing.

    Errors: UnusableDatasetError.
    """
    path = folder / table.file
    if not path.is_file():
        if table.obligatory:
            raise UnusableDatasetError([Finding(table.file, 1, "", "", "missing_file")])
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
        except UnreadableError as unreadable:
            findings.error(place, name, cell, unreadable.code, **unreadable.details)
            good = False
    if good and table.spans is not None:
        first, last = table.spans
        if row[last] is not None and row[last] < row[first]:
            findings.error(place, last, cells.by_column[last], "end_before_beginning")
            good = False
    return row if good else None
