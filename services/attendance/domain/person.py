"""What is kept of one person: lines, letters, shifts, check-ins, days, thresholds said."""

from bisect import insort
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from services.attendance.domain.day_history import History
from shared.events.attendance import Employment, Measure, Status
from shared.events.base import ContradictionError
from shared.kernel.lines import line_in_force, line_or_first


class Line(Struct, frozen=True, order=True, gc=False):
    """A dated line of a person's history (semantics A7). Units: days, inclusive."""

    active_from: int
    order: int
    active_to: int | None
    regency: str
    unit_id: str | None
    employment: Employment
    position_level: str | None
    supervisor_id: str | None
    schedule_id: str | None


@dataclass(slots=True)
class Excuse:
    """A letter; covers the workdays that begin on its days (B7)."""

    id: str
    first: int
    last: int
    revoked: bool = False


class Day(Struct, gc=False):
    """A workday as last published. Never changed once it is stored: a revision is a new one.

    A struct of msgspec, which is made three times as fast as a dataclass: there are many.
    """

    status: Status
    late: int
    early: int
    missed: tuple[str, ...]
    excuse_id: str | None
    check_ins: tuple[str, ...]
    revision: int
    window: int | None  # Where the evidence window starts (B13).
    employment: Employment
    regency: str
    unit_id: str | None
    schedule_id: str | None
    rules: str | None  # Key of the rule set that judges the day.
    converts: int | None  # Minutes that add up to days; None where none ever can (C4).
    seq: int  # subjectseq of the event that published it.
    recorded: str  # recordedtime of the fact that changed it last.


@dataclass(slots=True)
class Said:
    """An AbsenceThresholdReached, as published; `active` until it is retracted."""

    seq: int
    measure: Measure
    year: int
    klass: Employment
    threshold_days: int
    days: int
    dates: tuple[int, ...]
    regency: str
    sanction: str
    article: str
    active: bool = True


@dataclass(slots=True)
class Person:
    """The state of one subject. Mutable; only the fold changes it."""

    id: str
    lines: list[Line] = field(default_factory=list)
    excuses: list[Excuse] = field(default_factory=list)
    shifts: dict[int, str | None] = field(default_factory=dict)
    facts: dict[str, tuple[Any, ...]] = field(default_factory=dict)  # Applied, by id.
    punches: dict[int, dict[str, int]] = field(default_factory=dict)  # Bucket to id to instant.
    days: dict[int, Day] = field(default_factory=dict)
    pending: set[int] = field(default_factory=set)
    history: History = field(default_factory=History)
    thresholds: list[Said] = field(default_factory=list)
    floor: int = 0  # Days and punches before it are not in memory, only in `history`.
    # What is to be written.
    new_facts: list[tuple[int, str, str, str, Any]] = field(default_factory=list)
    dirty_days: set[int] = field(default_factory=set)
    stored_days: set[int] = field(default_factory=set)
    dirty_thresholds: set[int] = field(default_factory=set)
    stored_thresholds: set[int] = field(default_factory=set)

    def line_on(self, day: int) -> Line | None:
        """Give the line in force (A7)."""
        return line_in_force(self.lines, day)

    def regency_on(self, day: int) -> str | None:
        """Give the person's regency; before the first line, the first's (A3)."""
        lines = self.lines
        if len(lines) == 1:  # Nearly everybody, at any time.
            return lines[0].regency
        return line_or_first(lines, day).regency if lines else None

    def add_line(self, line: Line) -> None:
        """Take a line into the history."""
        insort(self.lines, line)

    def excuse_on(self, day: int) -> str | None:
        """Give the first recorded letter that covers a day and was not revoked (B8)."""
        for excuse in self.excuses:
            if excuse.first <= day <= excuse.last and not excuse.revoked:
                return excuse.id
        return None

    def excuse(self, excuse_id: str, heard: str) -> Excuse:
        """Give a letter by its id.

        Errors: ContradictionError, naming the fact that refers to it.
        """
        for excuse in self.excuses:
            if excuse.id == excuse_id:
                return excuse
        raise ContradictionError(
            f"fact {heard} speaks of letter {excuse_id}, which was never recorded"
        )
