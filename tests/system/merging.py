"""Datasets whose ids are the same, made different, so that one stack can hold all of them."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

CODE = re.compile(r"\d{2}\.\d{2}")
IN_YAML = re.compile(rb"^(regency: ['\"]?)(\d{2}\.\d{2})", re.MULTILINE)
OWN = frozenset(
    (
        "employee_id",
        "supervisor_id",
        "head_employee_id",
        "unit_id",
        "parent_unit_id",
        "serial",
        "excuse_id",
        "outage_id",
    )
)
CODES = frozenset(("code", "regency", "scope"))
# Bytes as they are: some files are broken on purpose.
PLAIN = "latin-1"
MARK = "\xef\xbb\xbf"  # A byte-order mark, read as that.


class Merging:
    """Gives every dataset ids and regency codes of its own; provinces stay, decrees name them."""

    def __init__(self, first: int = 0) -> None:
        self._next: dict[str, int] = defaultdict(lambda: first)  # By province.

    def write(self, dataset: Path, out: Path, prefix: str) -> None:
        """Copy a dataset; `prefix` stands before each of its ids."""
        codes: dict[str, str] = {}

        def code(old: str) -> str:
            if old not in codes:
                province = old[:2]
                codes[old] = f"{province}.{self._next[province]:02}"
                self._next[province] += 1
                assert self._next[province] <= 100, "no code is left in this province"
            return codes[old]

        for path in sorted(each for each in dataset.rglob("*") if each.is_file()):
            name = f"{prefix}{path.name}" if path.suffix == ".dat" else path.name
            target = out / path.relative_to(dataset).parent / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_renamed(path, prefix, code))


def _renamed(path: Path, prefix: str, code: Callable[[str], str]) -> bytes:
    content = path.read_bytes()
    if path.suffix == ".yaml":
        return IN_YAML.sub(lambda m: m[1] + code(m[2].decode()).encode(), content)
    if path.suffix != ".csv":
        return content
    rows = [*csv.reader(io.StringIO(content.decode(PLAIN), newline=""))]
    header = [name.removeprefix(MARK).strip() for name in rows[0]] if rows else []
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    for number, row in enumerate(rows):
        writer.writerow(_cells(header, row, prefix, code) if number else row)
    return out.getvalue().encode(PLAIN)


def _cells(
    header: list[str], row: list[str], prefix: str, code: Callable[[str], str]
) -> list[str]:
    cells = list(row)
    for place, name in enumerate(header[: len(row)]):
        cell = row[place].strip()
        if name in OWN and cell:
            cells[place] = prefix + cell
        elif name in CODES and CODE.fullmatch(cell):
            cells[place] = code(cell)
    return cells


def own_rows(rows: list[dict[str, str]], prefix: str) -> list[dict[str, str]]:
    """Give the rows of one dataset from a table of all, its ids as they were."""
    return [
        {k: v.removeprefix(prefix) if k in OWN else v for k, v in row.items()}
        for row in rows
        if row["employee_id"].startswith(prefix)
    ]
