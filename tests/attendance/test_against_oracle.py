"""The preview against the independent implementation, row by row.

`TERTIB_SEEDS=100-400` compares these seeds instead of the few of an ordinary run.
"""

import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.attendance.previews import write_preview
from tests.oracle.compare import differences, read
from tests.oracle.datasets import write_dataset
from tests.oracle.judging import judge

PEOPLE, DAYS = 12, 45
EARLIER = timedelta(days=11)  # Windows are open then, and much is not yet known.
ORDINARY = "1-6"


def seeds() -> range:
    first, _, last = os.environ.get("TERTIB_SEEDS", ORDINARY).partition("-")
    return range(int(first), int(last or first) + 1)


def compared(dataset: Path, through: date, work: Path) -> list[str]:
    """Judge a dataset both ways; an empty table on both sides would prove nothing."""
    judge(dataset, through, work / "expected")
    write_preview(dataset, through, work / "actual")
    assert read(work / "expected" / "assessments.csv")
    return differences(work / "expected", work / "actual")


@pytest.mark.parametrize("seed", seeds())
def test_both_implementations_judge_alike(seed: int, tmp_path: Path) -> None:
    """Zero differences, at the end of a dataset and in the middle of it."""
    last = write_dataset(tmp_path / "dataset", seed, PEOPLE, DAYS)

    assert compared(tmp_path / "dataset", last, tmp_path / "last") == []
    assert compared(tmp_path / "dataset", last - EARLIER, tmp_path / "earlier") == []
