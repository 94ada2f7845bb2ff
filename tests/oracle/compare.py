"""Compares two folders of exports; the order of rows and the spelling of cases are free."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

TABLES = ("assessments", "thresholds", "proposals")
KEYS = {
    "assessments": ("employee_id", "date"),
    "thresholds": ("employee_id", "year", "measure"),
    "proposals": ("employee_id", "year", "measure"),
}
Row = dict[str, str]


def differences(expected_dir: Path, actual_dir: Path) -> list[str]:
    """Say every difference in one readable line; an empty list means equal."""
    found: list[str] = []
    for table in TABLES:
        expected = read(expected_dir / f"{table}.csv")
        actual = read(actual_dir / f"{table}.csv")
        found += table_differences(table, expected, actual)
        if table == "proposals":
            found += case_differences(expected, actual)
    return found


def bad_row_differences(expected_dir: Path, actual_dir: Path) -> list[str]:
    """Compare file and line of the bad rows, where the case says any."""
    name = "bad-rows.csv"
    if not (expected_dir / name).is_file():
        return []
    expected = {(row["file"], row["line"]) for row in read(expected_dir / name)}
    actual = {(row["file"], row["line"]) for row in read(actual_dir / name)}
    missing = [f"bad rows: {file}:{line} was not reported" for file, line in expected - actual]
    spare = [f"bad rows: {file}:{line} should be good" for file, line in actual - expected]
    return sorted(missing + spare)


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table_differences(table: str, expected: list[Row], actual: list[Row]) -> list[str]:
    """Pair the rows that only one side has by their key, and say how they differ."""
    columns = [name for name in (expected or actual or [{}])[0] if name != "case_id"]
    if expected and actual and set(expected[0]) != set(actual[0]):
        return [f"{table}: columns {sorted(actual[0])} instead of {sorted(expected[0])}"]
    wanted = Counter(tuple(row[name] for name in columns) for row in expected)
    given = Counter(tuple(row[name] for name in columns) for row in actual)
    sides: dict[tuple[str, ...], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for side, rows in enumerate((wanted - given, given - wanted)):
        for row in sorted(rows.elements()):
            cells = dict(zip(columns, row, strict=True))
            key = tuple(cells[name] for name in KEYS[table])
            rest = [f"{name}={cells[name]}" for name in columns if name not in KEYS[table]]
            sides[key][side].append(" ".join(rest))
    return [
        f"{table} {' '.join(key)}: expected {missing or 'nothing'}, got {spare or 'nothing'}"
        for key, (missing, spare) in sorted(sides.items())
    ]


def case_differences(expected: list[Row], actual: list[Row]) -> list[str]:
    """Say where other proposals share a case than should."""
    wanted, given = groups(expected), groups(actual)
    if wanted == given or table_differences("proposals", expected, actual):
        return []
    return [
        f"proposals: these share a case where they should not, or the reverse: {list(case)}"
        for case in sorted(((wanted - given) + (given - wanted)).keys())
    ]


def groups(rows: list[Row]) -> Counter[tuple[tuple[str, ...], ...]]:
    cases: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for row in rows:
        cases[row["case_id"]].append(tuple(row[name] for name in row if name != "case_id"))
    return Counter(tuple(sorted(case)) for case in cases.values())
