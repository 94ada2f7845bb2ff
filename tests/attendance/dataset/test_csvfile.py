"""CSV files: what a row is, and what spoils one (semantics A17, A19)."""

from pathlib import Path

import pytest

from services.attendance.dataset.csvfile import read_csv
from services.attendance.dataset.findings import Findings, UnusableDatasetError

GOOD = (2, {"a": "1", "b": "2"})


def read(
    tmp_path: Path, content: bytes, columns: str = "ab", optional: str = ""
) -> tuple[list[tuple[int, dict[str, str]]], list[tuple[int, str]]]:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    findings = Findings()
    found = [(c.line, c.by_column) for c in read_csv(path, "t.csv", columns, optional, findings)]
    return found, [(f.line, f.code) for f in findings]


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n",
        b"a,b\n1,2",
        b"a,b\r\n1,2\r\n",
        b"\xef\xbb\xbfa,b\n1,2\n",
        b" a , b \n 1 , 2 \n",
        b'"a","b"\n"1","2"\n',
        b"b,a\n2,1\n",
        b"a,b\n1,2\n\n  \n",
        b"a,b\n1,\xc2\xa02\n",
    ],
    ids=[
        "lf", "no end", "cr lf", "byte-order mark", "blanks", "quoted", "other order",
        "blank lines", "hard space",
    ],
)  # fmt: skip
def test_a_good_row_is_read_however_it_was_saved(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path, content) == ([GOOD], [])


def test_a_quoted_cell_keeps_commas_quotes_and_line_ends(tmp_path: Path) -> None:
    content = b'a,b\n"x, ""y""","1\r\n2"\n3,4\n'

    found, wrong = read(tmp_path, content)

    assert found == [(2, {"a": 'x, "y"', "b": "1\n2"}), (4, {"a": "3", "b": "4"})]
    assert wrong == []


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (b"1", "wrong_cell_count"),
        (b"1,2,3", "wrong_cell_count"),
        (b'"1,2', "bad_quotes"),
        (b'"1"x,2', "bad_quotes"),
        (b"1,\xff", "not_utf8"),
        (b"1,2\0", "unstorable"),
    ],
)
def test_one_bad_row_spoils_nothing_but_itself(tmp_path: Path, row: bytes, code: str) -> None:
    found, wrong = read(tmp_path, b"a,b\n1,2\n" + row + b"\n3,4\n")

    assert found == [GOOD, (4, {"a": "3", "b": "4"})]
    assert wrong == [(3, code)]


def test_a_forgotten_quotation_mark_does_not_swallow_the_rows_up_to_the_next(
    tmp_path: Path,
) -> None:
    found, wrong = read(tmp_path, b'a,b\n"1,2\n3,4\n5,"6"\n7,8"\n')

    assert [line for line, _ in found] == [3, 4, 5]
    assert wrong == [(2, "bad_quotes")]


def test_lines_that_join_into_too_many_cells_are_judged_each_alone(tmp_path: Path) -> None:
    found, wrong = read(tmp_path, b'a,b\n"1,2\n3",4,5\n6,7\n')

    assert [line for line, _ in found] == [4]
    assert wrong == [(2, "bad_quotes"), (3, "wrong_cell_count")]


def test_a_cell_longer_than_the_limit_is_given_up(tmp_path: Path) -> None:
    inside = b"".join(b"%d,0\n" % n for n in range(120))
    found, wrong = read(tmp_path, b'a,b\n"1,2\n' + inside + b'x"\n')

    assert len(found) == 120
    assert wrong == [(2, "bad_quotes"), (123, "wrong_cell_count")]


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (b"a\n", {"missing_column"}),
        (b"a,b,c\n", {"unknown_column"}),
        (b"a,b,b\n", {"doubled_column"}),
        (b"A,b\n", {"missing_column", "unknown_column"}),
        (b"1,2\n", {"missing_column", "unknown_column"}),
        (b"", {"missing_column"}),
        (b"\n1,2\n", {"missing_column"}),
        (b"\xff\xfea\0,\0b\0\n", {"missing_column"}),
    ],
)
def test_missing_and_unknown_columns_stop_the_load(
    tmp_path: Path, content: bytes, codes: set[str]
) -> None:
    """A CSV without a header is a missing column."""
    with pytest.raises(UnusableDatasetError) as stopped:
        read(tmp_path, content)

    assert {f.code for f in stopped.value.findings} == codes
    assert {(f.file, f.line) for f in stopped.value.findings} == {("t.csv", 1)}


def test_an_optional_column_may_be_there_or_not(tmp_path: Path) -> None:
    assert read(tmp_path, b"a,b\n1,2\n", optional="c")[0] == [GOOD]
    assert read(tmp_path, b"a,c,b\n1,x,2\n", optional="c")[0][0][1]["c"] == "x"
