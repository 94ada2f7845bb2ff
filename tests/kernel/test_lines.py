"""The line in force is the last begun, of equal ones the last that became known (A7)."""

from dataclasses import dataclass
from datetime import date

import pytest

from shared.kernel.lines import is_active, line_in_force, line_or_first


@dataclass(frozen=True)
class Numbered:
    name: str
    active_from: int
    active_to: int | None = None


@dataclass(frozen=True)
class Dated:
    name: str
    active_from: date
    active_to: date | None = None


FIRST, CORRECTED, MOVED = Numbered("first", 5), Numbered("corrected", 5), Numbered("moved", 9, 9)


@pytest.mark.parametrize(
    ("lines", "day", "name"),
    [
        ((), 5, None),
        ((FIRST,), 4, None),
        ((FIRST,), 5, "first"),
        ((FIRST, CORRECTED), 5, "corrected"),
        ((FIRST, CORRECTED, MOVED), 8, "corrected"),
        ((FIRST, CORRECTED, MOVED), 9, "moved"),
        ((FIRST, CORRECTED, MOVED), 10, "moved"),  # It has ended, and is still the last begun.
    ],
)
def test_which_line_is_in_force(lines: tuple[Numbered, ...], day: int, name: str | None) -> None:
    found = line_in_force(lines, day)

    assert (found.name if found is not None else None) == name


def test_before_the_first_line_the_first_says_where_a_person_belongs() -> None:
    """Of two that begin first, the one in force on their day (A3, A7)."""
    assert line_or_first((FIRST, MOVED), 1) is FIRST
    assert line_or_first((FIRST, CORRECTED, MOVED), 1) is CORRECTED
    assert line_or_first((FIRST, CORRECTED, MOVED), 12) is MOVED
    with pytest.raises(IndexError):
        line_or_first((), 1)


def test_dates_are_asked_for_as_numbers_are() -> None:
    lines = [Dated("a", date(2026, 1, 5)), Dated("b", date(2026, 2, 1), date(2026, 2, 28))]

    assert line_in_force(lines, date(2026, 1, 4)) is None
    assert line_or_first(lines, date(2026, 1, 4)) is lines[0]
    assert line_in_force(lines, date(2026, 2, 1)) is lines[1]


@pytest.mark.parametrize(("day", "active"), [(9, True), (10, False)])
def test_the_last_day_of_a_line_is_inclusive(day: int, *, active: bool) -> None:
    assert is_active(MOVED, day) is active
    assert is_active(FIRST, day)
