"""State as tables: a query over the `read` views, written as CSV, JSON lines or Parquet.

Each service declares its exports; nothing here knows one. Rows are streamed: a province's year
of assessments does not fit into memory.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import asyncpg

from shared.runtime.export.writers import Column, Format, output, writer_of
from shared.runtime.projection import Row

ROWS_AT_ONCE = 5_000  # A few megabytes; larger batches are no faster.


@dataclass(frozen=True)
class Export:
    """A table that `tertib export` gives.

    `sql` reads the views of schema `read`, in the order of semantics E1, one value per column.
    Its parameters are `$1` a regency, `$2` the first and `$3` the last date; each may be null.
    """

    name: str
    service: str
    sql: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Filters:
    """Which rows are wanted; None: no limit. Dates are inclusive."""

    regency: str | None = None
    first_on: date | None = None
    last_on: date | None = None


async def batches(
    connection: "asyncpg.Connection[Any]", export: Export, filters: Filters
) -> AsyncIterator[list[Row]]:
    """Give the rows as of one moment, also while a rebuild switches the views."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        wanted = filters.regency, filters.first_on, filters.last_on
        cursor = await connection.cursor(export.sql, *wanted)
        while rows := await cursor.fetch(ROWS_AT_ONCE):
            yield [tuple(row) for row in rows]


async def export_table(  # noqa: PLR0913  (each is a choice of the caller)
    connection: "asyncpg.Connection[Any]",
    export: Export,
    filters: Filters,
    *,
    format_: Format,
    out: Path | None,
    standard: BinaryIO,
) -> int:
    """Write one export to a file, or to standard output. Gives the number of rows."""
    count = 0
    with output(out, standard) as stream:
        writer = writer_of(format_, export.columns, stream)
        async for rows in batches(connection, export, filters):
            writer.write(rows)
            count += len(rows)
        writer.close()
    return count
