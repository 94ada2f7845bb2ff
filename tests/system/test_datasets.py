"""Datasets through the running stack against hand-worked cases and the independent oracle.

`TERTIB_SYSTEM_SEEDS=911-960` loads these random datasets instead of the few of an ordinary run; a
stack has room for some twenty at a time, whose regencies have codes of their own.
"""

import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.runtime.export.writers import write_csv
from tests.attendance.previews import write_preview
from tests.oracle.compare import TABLES, differences, read
from tests.oracle.datasets import write_dataset
from tests.oracle.judging import judge
from tests.system.merging import Merging, own_rows
from tests.system.whole import Row, Whole

pytestmark = pytest.mark.system

CASES = (
    "15-falls-to-the-lower-tier",
    "19-night-shift",
    "24-four-checkpoints",
    "51-rows-that-cannot-be-read",
    "63-lower-tier-stands-again",
    "65-pin-explained-later",
    "66-registered-late",
    "71-moved-to-another-zone",
    "76-runs-grow-together",
    "77-late-and-broken-uploads",
)
ORDINARY = "901-904"
PEOPLE, DAYS = 10, 30
EARLIER = timedelta(days=9)


class Given(NamedTuple):
    """A dataset under ids of its own: as it was, as it is loaded, what must come out of it."""

    prefix: str
    original: Path
    folder: Path
    through: date
    expected: Path


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> list[Given]:
    """Give the cases with their hand-worked tables, random datasets with the oracle's."""
    return [*_given(tmp_path_factory.mktemp("given"))]


def seeds() -> range:
    first, _, last = os.environ.get("TERTIB_SYSTEM_SEEDS", ORDINARY).partition("-")
    return range(int(first), int(last or first) + 1)


def _given(work: Path) -> Iterator[Given]:
    merging = Merging()
    cases = Path(__file__).parents[1] / "cases"
    for name in CASES:
        prefix, case, folder = f"C{name[:2]}~", cases / name, work / name
        merging.write(case / "dataset", folder, prefix)
        through = date.fromisoformat((case / "through.txt").read_text().strip())
        yield Given(prefix, case / "dataset", folder, through, case / "expected")
    for seed in seeds():
        prefix, original, folder = f"S{seed}~", work / f"o{seed}", work / f"s{seed}"
        through = write_dataset(original, seed, PEOPLE, DAYS)
        merging.write(original, folder, prefix)
        judge(original, through, work / f"e{seed}")
        yield Given(prefix, original, folder, through, work / f"e{seed}")


@pytest.fixture(scope="module")
def tables(whole: Whole, given: list[Given]) -> dict[str, list[Row]]:
    """Give the exported tables after all were loaded, one behind the other."""
    for each in given:
        said = whole.backfill(each.folder, "--through", each.through.isoformat(), code=None)
        assert said["loaded"]
        assert said["parked"] == 0
    return {name: whole.export(name) for name in TABLES}


def test_what_comes_out_is_what_was_worked_out(
    given: list[Given], tables: dict[str, list[Row]], tmp_path: Path
) -> None:
    """Zero differences, and the preview says the same, row by row."""
    found: list[str] = []
    for each in given:
        actual = tmp_path / each.prefix
        _write(tables, each.prefix, actual)
        assert read(actual / "assessments.csv"), each.prefix
        found += [f"{each.prefix} {line}" for line in differences(each.expected, actual)]
        write_preview(each.original, each.through, tmp_path / "preview")
        found += [
            f"{each.prefix} preview: {line}" for line in differences(tmp_path / "preview", actual)
        ]

    assert found == []


def test_the_command_previews_what_a_backfill_gave(
    whole: Whole, given: list[Given], tables: dict[str, list[Row]], tmp_path: Path
) -> None:
    """The same ids, so the same case ids and the same order as well."""
    before = whole.ends()
    each = given[-1]
    through = each.through.isoformat()
    whole.tertib("preview", each.folder, "--through", through, "--out", tmp_path, code=None)

    for name in TABLES:
        own = [row for row in tables[name] if row["employee_id"].startswith(each.prefix)]
        assert read(tmp_path / f"{name}.csv") == own, name
    assert whole.ends() == before


@pytest.mark.usefixtures("tables")
def test_a_repetition_adds_nothing(whole: Whole, given: list[Given]) -> None:
    before = whole.ends()
    for each in given[-2:]:
        said = whole.backfill(each.folder, "--through", each.through.isoformat(), code=None)
        assert said["rows"]["facts"] > 100
        assert said["rows"]["new facts"] == 0

    assert whole.ends() == before


def test_a_later_date_goes_on_where_an_earlier_one_stopped(whole: Whole, tmp_path: Path) -> None:
    merging = Merging(first=80)
    through = write_dataset(tmp_path / "original", 904, PEOPLE, DAYS)
    merging.write(tmp_path / "original", tmp_path / "dataset", "L~")
    for last in (through - EARLIER, through):
        whole.backfill(tmp_path / "dataset", "--through", last.isoformat(), code=None)
        _write({name: whole.export(name) for name in TABLES}, "L~", tmp_path / f"{last}")
        judge(tmp_path / "original", last, tmp_path / f"expected {last}")

        assert differences(tmp_path / f"expected {last}", tmp_path / f"{last}") == []


def _write(tables: dict[str, list[Row]], prefix: str, out: Path) -> None:
    out.mkdir(parents=True)
    for name, rows in tables.items():
        own = own_rows(rows, prefix)
        columns = [*rows[0]]
        write_csv(out / f"{name}.csv", columns, [tuple(row.values()) for row in own])
