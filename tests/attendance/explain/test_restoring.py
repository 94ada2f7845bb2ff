from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from services.attendance.projection.assessor import Assessor
from services.attendance.projection.tables import FACTS, THRESHOLDS, WORKDAYS
from shared.events.envelope import Envelope, canonical
from shared.runtime.processing.in_memory import InMemoryProjection
from tests.attendance.previews import log_of
from tests.attendance.restoring import Restoring
from tests.oracle.datasets import write_dataset

PEOPLE, DAYS = 5, 130  # Longer than what is kept in memory, twice.


def facts(seed: int, folder: Path) -> list[Envelope]:
    through = write_dataset(folder, seed, PEOPLE, DAYS)
    return list(log_of(folder, through))


def always() -> bool:
    return True


def now_and_then(seed: int) -> Callable[[], bool]:
    dice = Random(seed)  # noqa: S311  (no secret)
    return lambda: dice.random() < 0.1


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("how", ["always", "now and then"])
def test_who_is_brought_back_goes_on_as_if_never_gone(seed: int, how: str, tmp_path: Path) -> None:
    """Restored from rows before any fact: the same events, byte by byte, and the same rows."""
    log = facts(seed, tmp_path / "dataset")
    kept = InMemoryProjection(Assessor(forgets=False), keep_rows=True)
    gone = Restoring(always if how == "always" else now_and_then(seed))

    for fact in log:
        expected = [canonical(event) for event in kept.hear(fact)]
        assert [canonical(event) for event in gone.hear(fact)] == expected

    for table in (FACTS.name, WORKDAYS.name, THRESHOLDS.name):
        assert sorted(gone.rows(table)) == sorted(kept.rows(table))
    assert gone.seen["restored"] > PEOPLE
    assert gone.seen["deepened"] > 0
