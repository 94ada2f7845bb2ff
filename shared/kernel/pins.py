"""Whose PIN it is on a day (semantics A9)."""

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Assignment(Protocol):
    """A person has a PIN on a machine from a device-local day to another, inclusive.

    Units: `date.toordinal()`; an assignment without an end ends `NEVER` (`local_time`).
    """

    @property
    def begins(self) -> int:
        """The first day."""

    @property
    def ends(self) -> int:
        """The last day."""


A = TypeVar("A", bound=Assignment)


def holder(assignments: Iterable[A], day: int) -> A | None:
    """Give the assignment that holds on a day: the last begun; if that has ended, none.

    `assignments` are those of one PIN on one machine, in the order in which they became known: of
    two that begin together the later one counts.
    """
    last: A | None = None
    for row in assignments:
        if row.begins <= day and (last is None or row.begins >= last.begins):
            last = row
    return last if last is not None and last.ends >= day else None
