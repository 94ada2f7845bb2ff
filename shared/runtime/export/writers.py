"""Rows as CSV, JSON lines or Parquet."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

from shared.runtime.projection import Row

Kind = Literal["text", "integer", "date", "list"]


Format = Literal["csv", "jsonl", "parquet"]


FORMATS: tuple[Format, ...] = ("csv", "jsonl", "parquet")


@dataclass(frozen=True)
class Column:
    """A column of an export. A `list` is joined by `;` (semantics E2)."""

    name: str
    kind: Kind = "text"


class Writer(Protocol):
    """Writes one table to a stream, which stays open."""

    def write(self, rows: Iterable[Row], /) -> None:
        """Take rows in batches."""

    def close(self) -> None:
        """End the table."""


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
        """Flush the stream, and detach from it."""
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
    """Give the stream to write to; a named file appears only when it is complete."""
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
    """Write a whole table from memory (`tertib preview`)."""
    with output(path, io.BytesIO()) as stream:
        writer = CsvWriter(names, stream)
        writer.write(rows)
        writer.close()
