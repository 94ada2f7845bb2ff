"""Tables as CSV, JSON lines and Parquet: semantics E2."""

import io
import json
from datetime import date
from pathlib import Path

import pytest
from pyarrow import parquet

from shared.runtime.export.writers import Column, Format, output, write_csv, writer_of

COLUMNS = (
    Column("employee_id"),
    Column("on", "date"),
    Column("days", "integer"),
    Column("missed", "list"),
)
ROWS = [
    ("A", date(2026, 1, 5), 3, ["masuk", "pulang"]),
    ('B, "x"', None, None, []),
]


def written(format_: Format) -> bytes:
    stream = io.BytesIO()
    writer = writer_of(format_, COLUMNS, stream)
    writer.write(ROWS[:1])
    writer.write(iter(ROWS[1:]))
    writer.close()
    return stream.getvalue()


def test_csv_has_lf_line_ends_and_empty_cells_for_what_is_absent() -> None:
    assert written("csv") == (
        b'employee_id,on,days,missed\nA,2026-01-05,3,masuk;pulang\n"B, ""x""",,,\n'
    )


def test_json_lines_hold_the_same_cells() -> None:
    assert [json.loads(line) for line in written("jsonl").splitlines()] == [
        {"employee_id": "A", "on": "2026-01-05", "days": 3, "missed": "masuk;pulang"},
        {"employee_id": 'B, "x"', "on": None, "days": None, "missed": None},
    ]


def test_parquet_holds_the_same_cells_with_their_types() -> None:
    table = parquet.read_table(io.BytesIO(written("parquet")))

    assert [str(field.type) for field in table.schema] == [
        "string",
        "date32[day]",
        "int64",
        "string",
    ]
    assert table.to_pylist() == [
        {"employee_id": "A", "on": date(2026, 1, 5), "days": 3, "missed": "masuk;pulang"},
        {"employee_id": 'B, "x"', "on": None, "days": None, "missed": None},
    ]


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet"])
def test_a_table_without_rows_is_a_table(format_: Format) -> None:
    stream = io.BytesIO()
    writer_of(format_, COLUMNS, stream).close()

    if format_ == "csv":
        assert stream.getvalue() == b"employee_id,on,days,missed\n"
    if format_ == "jsonl":
        assert stream.getvalue() == b""
    if format_ == "parquet":
        assert parquet.read_table(io.BytesIO(stream.getvalue())).num_rows == 0


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    def break_off() -> None:
        with output(tmp_path / "proposals.csv", io.BytesIO()) as stream:
            stream.write(b"half")
            raise ConnectionError

    with pytest.raises(ConnectionError):
        break_off()

    assert list(tmp_path.iterdir()) == []


def test_a_preview_writes_the_same_csv(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", [column.name for column in COLUMNS], ROWS)

    assert (tmp_path / "t.csv").read_bytes() == written("csv")
