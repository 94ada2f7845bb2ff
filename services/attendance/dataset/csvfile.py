"""CSV by RFC 4180: columns by name; one bad row never spoils the next (semantics A17, A19)."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from services.attendance.dataset.findings import Finding, Findings, UnusableDatasetError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# A cell may have several lines; a missing quotation mark must not include the rest of the file.
LONGEST_CELL_LINES = 100


class Cells(NamedTuple):
    """A row as written: its line, and its trimmed cells by column."""

    line: int
    by_column: dict[str, str]


def read_csv(
    path: Path, name: str, columns: Sequence[str], optional: Sequence[str], findings: Findings
) -> Iterator[Cells]:
    """Give the rows that have the right number of cells; the others become findings.

    Errors: UnusableDatasetError for a missing, unknown or doubled column.
    """
    lines = _Lines(path)
    header = _header(lines, name, columns, optional)
    for line, cells in _records(lines, name, len(header), findings):
        if any("\0" in cell for cell in cells):
            findings.error((name, line), "", "", "unstorable")
            continue
        yield Cells(line, {column: c.strip() for column, c in zip(header, cells, strict=True)})


class _Lines:
    """The lines of a file; a quoted cell may look ahead."""

    def __init__(self, path: Path) -> None:
        self._lines = path.read_bytes().removeprefix(BYTE_ORDER_MARK).split(b"\n")
        if self._lines[-1] == b"":
            self._lines.pop()
        self.at = 0

    def more(self) -> bool:
        return self.at < len(self._lines)

    def text(self, ahead: int = 0) -> str | None:
        """Give a line without its end. Errors: UnicodeDecodeError."""
        if self.at + ahead >= len(self._lines):
            return None
        return self._lines[self.at + ahead].decode().removesuffix("\r")


def _header(
    lines: _Lines, name: str, columns: Sequence[str], optional: Sequence[str]
) -> list[str]:
    try:
        first = lines.text() if lines.more() else None
        header = [cell.strip() for cell in _split(first or "") or ()]
    except UnicodeDecodeError:
        header = []
    lines.at += 1
    wrong = [("missing_column", c) for c in columns if c not in header]
    wrong += [
        ("unknown_column" if c not in columns and c not in optional else "doubled_column", c)
        for i, c in enumerate(header)
        if (c not in columns and c not in optional) or c in header[:i]
    ]
    if wrong:
        raise UnusableDatasetError(
            Finding(name, 1, column, column, code) for code, column in wrong
        )
    return header


def _records(
    lines: _Lines, name: str, width: int, findings: Findings
) -> Iterator[tuple[int, list[str]]]:
    while lines.more():
        number = lines.at + 1
        try:
            text = lines.text() or ""
            if not text.strip():
                lines.at += 1
                continue
            cells, taken = _record(lines, text, width)
        except UnicodeDecodeError:
            findings.error((name, number), "", "", "not_utf8")
            lines.at += 1
            continue
        lines.at += taken
        if cells is None:
            findings.error((name, number), "", text, "bad_quotes")
        elif len(cells) != width:
            counts = {"found": str(len(cells)), "expected": str(width)}
            findings.error((name, number), "", text, "wrong_cell_count", **counts)
        else:
            yield number, cells


def _record(lines: _Lines, text: str, width: int) -> tuple[list[str] | None, int]:
    """Split the record that begins here; give its cells and how many lines it takes."""
    if '"' not in text:
        return text.split(","), 1
    cells = _split(text)
    if cells is not None or text.count('"') % 2 == 0:
        return cells, 1
    joined = text
    for ahead in range(1, LONGEST_CELL_LINES):
        try:
            following = lines.text(ahead)
        except UnicodeDecodeError:
            break
        if following is None:
            break
        joined += "\n" + following
        if following.count('"') % 2:
            cells = _split(joined)
            if cells is not None and len(cells) == width:
                return cells, ahead + 1
            break
    return None, 1


def _split(text: str) -> list[str] | None:
    """Split a record by RFC 4180; None if its quotation marks are wrong."""
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return None
