"""State as tables: a query over the `read` views, written as CSV, JSON lines or Parquet.

Each service declares its exports; nothing here knows one. Rows are streamed: a province's year
of assessments does not fit into memory.
"""

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

import asyncpg

from shared.runtime.projection import Row

Kind = Literal["text", "integer", "date", "list"]
Format = Literal["csv", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl", "parquet")
ROWS_AT_ONCE = 5_000  # A few megabytes; larger batches are no faster.


@dataclass(frozen=True)
class Column:
    """A column of an export. A `list` is joined by `;` (semantics E2)."""

    name: str
    kind: Kind = "text"


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
    """What is left out; None: nothing. Dates are inclusive."""

    regency: str | None = None
    first_on: date | None = None
    last_on: date | None = None


class Writer(Protocol):
    """Writes one table to a stream, which stays open."""

    def write(self, rows: Iterable[Row], /) -> None:
        """Take rows in batches."""

    def close(self) -> None:
        """End the table."""


async def batches(
    connection: "asyncpg.Connection[Any]", export: Export, filters: Filters
) -> AsyncIterator[list[Row]]:
    """Give the rows as they stand at one moment, also while a rebuild switches the views."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        wanted = filters.regency, filters.first_on, filters.last_on
        cursor = await connection.cursor(export.sql, *wanted)
        while rows := await cursor.fetch(ROWS_AT_ONCE):
            yield [tuple(row) for row in rows]


def writer_of(format_: Format, columns: Sequence[Column], out: BinaryIO) -> Writer:
    """Give the writer of a format; the header is written at once."""
    match format_:
        case "csv":
            return CsvWriter([column.name for column in columns], out)
        case "jsonl":
            return JsonLinesWriter([column.name for column in columns], out)
        case "parquet":
            return ParquetWriter(columns, out)


class CsvWriter:
    """RFC 4180 with LF line ends; absent is an empty cell."""

    def __init__(self, names: Sequence[str], out: BinaryIO) -> None:
        self._text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
        self._csv = csv.writer(self._text, lineterminator="\n")
        self._csv.writerow(names)

    def write(self, rows: Iterable[Row], /) -> None:
        """Write rows below the header."""
        self._csv.writerows(["" if cell is None else cell for cell in cells(row)] for row in rows)

    def close(self) -> None:
        """Hand the stream back, flushed."""
        self._text.detach()


class JsonLinesWriter:
    """One object a line, in the order of the columns; absent is null."""

    def __init__(self, names: Sequence[str], out: BinaryIO) -> None:
        self._names = names
        self._out = out

    def write(self, rows: Iterable[Row], /) -> None:
        """Write a line for each row."""
        for row in rows:
            line = dict(zip(self._names, cells(row), strict=True))
            self._out.write(json.dumps(line, ensure_ascii=False, default=str).encode() + b"\n")

    def close(self) -> None:
        """Flush the stream."""
        self._out.flush()


class ParquetWriter:
    """Typed columns, compressed; each batch is a row group."""

    def __init__(self, columns: Sequence[Column], out: BinaryIO) -> None:
        # Imported here: a service without exports does not install it.
        import pyarrow as pa  # noqa: PLC0415  (see above)
        from pyarrow import parquet  # noqa: PLC0415  (see above)

        types = {"text": pa.string(), "integer": pa.int64(), "date": pa.date32()}
        self._pa = pa
        self._schema = pa.schema(
            [(column.name, types.get(column.kind, pa.string())) for column in columns]
        )
        self._parquet = parquet.ParquetWriter(out, self._schema, compression="zstd")

    def write(self, rows: Iterable[Row], /) -> None:
        """Write the rows as one row group; none: nothing."""
        by_column = list(zip(*(cells(row) for row in rows), strict=True))
        if not by_column:
            return
        arrays = [
            self._pa.array(values, type=field.type)
            for values, field in zip(by_column, self._schema, strict=True)
        ]
        self._parquet.write_table(self._pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        """Write the footer: without it the table cannot be read."""
        self._parquet.close()


def cells(row: Row) -> Iterator[Any]:
    """Give a row's cells: lists joined by `;`, absent and empty ones None (semantics E2)."""
    for value in row:
        if isinstance(value, list | tuple):
            yield ";".join(map(str, value)) or None
        else:
            yield None if value == "" else value


@contextmanager
def output(out: Path | None, standard: BinaryIO) -> Iterator[BinaryIO]:
    """Give the stream to write to; a named file is there when it is whole, or not at all."""
    if out is None:
        yield standard
        return
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as stream:
            yield stream
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def write_csv(path: Path, names: Sequence[str], rows: Iterable[Row]) -> None:
    """Write a whole table that is at hand (`tertib preview`)."""
    with output(path, io.BytesIO()) as stream:
        writer = CsvWriter(names, stream)
        writer.write(rows)
        writer.close()


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
