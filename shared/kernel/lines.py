"""Which line of a person's history is in force on a date (semantics A3, A7).

Shapes: `lines` are one person's, in the order of `active_from`, of equal ones in the order in
which they became known. Their dates, and the date that is asked for, are all `date` or all
`date.toordinal()`: a fold counts in numbers, a reader has dates.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol, TypeVar, overload


class ByNumber(Protocol):
    """A dated line whose days are `date.toordinal()`."""

    @property
    def active_from(self) -> int:
        """The first day."""

    @property
    def active_to(self) -> int | None:
        """The last day, inclusive; None: it has no end."""


class ByDate(Protocol):
    """A dated line whose days are dates."""

    @property
    def active_from(self) -> date:
        """The first day."""

    @property
    def active_to(self) -> date | None:
        """The last day, inclusive; None: it has no end."""


N = TypeVar("N", bound=ByNumber)
D = TypeVar("D", bound=ByDate)


@overload
def line_in_force(lines: Sequence[N], on: int) -> N | None: ...
@overload
def line_in_force(lines: Sequence[D], on: date) -> D | None: ...
def line_in_force(lines: Sequence[Any], on: Any) -> Any:
    """Give the last line begun, whether or not it has ended; None before the first."""
    if lines and (last := lines[-1]).active_from <= on:
        return last  # Nearly always: spares the fold a loop.
    for line in reversed(lines):
        if line.active_from <= on:
            return line
    return None


@overload
def line_or_first(lines: Sequence[N], on: int) -> N: ...
@overload
def line_or_first(lines: Sequence[D], on: date) -> D: ...
def line_or_first(lines: Sequence[Any], on: Any) -> Any:
    """Give the line that says where a person belongs: before the first one begins, the first.

    Of several that begin first, that is the one in force on their day. Errors: IndexError without
    any line.
    """
    return line_in_force(lines, max(on, lines[0].active_from))


@overload
def is_active(line: N, on: int) -> bool: ...
@overload
def is_active(line: D, on: date) -> bool: ...
def is_active(line: Any, on: Any) -> bool:
    """Say whether a line in force has not ended: its last day is inclusive."""
    return line.active_to is None or line.active_to >= on
