"""The matters of one person: what was heard, what stands, and in which case. Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from shared.events.attendance import AbsenceThresholdReached, Employment

Standing = Literal["noted", "proposed", "superseded", "withdrawn", "decided"]


class Matter(NamedTuple):
    """One year's absences of a person in one class (semantics D1)."""

    year: int
    employment_class: Employment


@dataclass(frozen=True)
class Threshold:
    """A threshold that was heard, and what became of it.

    `ordinal` counts the proposals of the person in the order said, from 1; a threshold that was
    only noted has none. `retracted`: attendance retracted it, whatever its `standing` is.
    """

    event_id: str
    regency: str
    said: AbsenceThresholdReached
    standing: Standing = "noted"
    retracted: bool = False
    case_id: str | None = None
    ordinal: int | None = None

    @property
    def matter(self) -> Matter:
        """Name the matter it belongs to."""
        return Matter(self.said.year, self.said.employment_class)

    @property
    def weight(self) -> int:
        """Say how heavy the sanction is that the law asks for (semantics D3)."""
        return self.said.tier.weight


@dataclass(frozen=True)
class Matters:
    """All thresholds of one person by their event id, in the order heard."""

    thresholds: Mapping[str, Threshold] = field(default_factory=dict)

    def with_threshold(self, threshold: Threshold) -> "Matters":
        """Give the matters with this threshold added, or in the place of what it was."""
        return Matters({**self.thresholds, threshold.event_id: threshold})

    def changed(self, event_id: str, **changes: object) -> "Matters":
        """Give the matters with some fields of one threshold changed. Errors: KeyError."""
        # mypy cannot follow keywords into `replace`; the tests of `evolve` do.
        return self.with_threshold(replace(self.thresholds[event_id], **changes))  # type: ignore[arg-type]  # as said

    def of(self, matter: Matter) -> list[Threshold]:
        """Give the thresholds of one matter in the order heard."""
        return [each for each in self.thresholds.values() if each.matter == matter]

    @property
    def proposals(self) -> int:
        """Count what was ever proposed."""
        return sum(each.ordinal is not None for each in self.thresholds.values())


def open_proposal(thresholds: list[Threshold]) -> Threshold | None:
    """Find the proposal of a matter that waits for an official; there is at most one."""
    return next((each for each in thresholds if each.standing == "proposed"), None)


def decided_weight(thresholds: list[Threshold]) -> int:
    """Say how heavy the heaviest decided proposal of a matter is; 0: nothing was decided.

    Only what is heavier opens a new case (design 6): one absence is not punished twice.
    """
    return max((each.weight for each in thresholds if each.standing == "decided"), default=0)


def next_in_line(thresholds: list[Threshold]) -> Threshold | None:
    """Find what stands once the open proposal fell: the heaviest threshold still active.

    Of equal weight the first heard, which stood before the others. Source: semantics D3, D4.
    """
    floor = decided_weight(thresholds)
    waiting = [
        each
        for each in thresholds
        if each.standing in ("noted", "superseded") and not each.retracted and each.weight > floor
    ]
    return max(waiting, key=lambda each: each.weight, default=None)


def case_to_open(employee_id: str, matter: Matter, thresholds: list[Threshold]) -> str:
    """Name the case of a proposal: each decision closes one, and the next is numbered."""
    decided = {each.case_id for each in thresholds if each.standing == "decided"}
    return case_name(employee_id, matter, len(decided) + 1)


def case_of_note(employee_id: str, matter: Matter, thresholds: list[Threshold]) -> str:
    """Name the case in which something is noted: that of the last proposal, if there is one."""
    proposals = [each for each in thresholds if each.ordinal is not None]
    latest = max(proposals, key=lambda each: each.ordinal or 0, default=None)
    if latest is None or latest.case_id is None:
        return case_name(employee_id, matter, 1)
    return latest.case_id


def case_name(employee_id: str, matter: Matter, number: int) -> str:
    """Spell a case id: `<employee>-<year>-<class>`, from the second on with its number."""
    name = f"{employee_id}-{matter.year}-{matter.employment_class}"
    return name if number == 1 else f"{name}-{number}"
