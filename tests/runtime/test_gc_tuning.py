"""The collector of a process that keeps states: seldom among many new objects, often among few."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from shared.runtime import gc_tuning


class Knot:
    """An object that holds itself: no count of references ever frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_a_cycle_of_a_quiet_process_is_freed() -> None:
    gc_tuning.settle()
    knot = weakref.ref(Knot())
    assert knot() is not None

    gc_tuning.tidy()

    assert knot() is None


def test_many_new_objects_are_not_walked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are states and records that wait: each look at them costs, and frees nothing."""
    gc_tuning.settle()
    knot = weakref.ref(Knot())
    monkeypatch.setattr(gc_tuning, "FEW", 1_000)
    many = [[number] for number in range(2_000)]

    gc_tuning.tidy()

    assert knot() is not None
    many.clear()
    gc_tuning.tidy()
    assert knot() is None
