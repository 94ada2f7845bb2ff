"""From thresholds to sanction proposals, one event after the other (section D)."""

from dataclasses import dataclass, field

from tests.oracle.ledger import Threshold

PROPOSED, SUPERSEDED, WITHDRAWN = "proposed", "superseded", "withdrawn"
Matter = tuple[str, int]


@dataclass
class Proposal:
    threshold: Threshold
    state: str = PROPOSED


@dataclass
class Cases:
    """The matters of one person: a year's absences in one class each (D1)."""

    proposals: list[Proposal] = field(default_factory=list)
    heard: list[Threshold] = field(default_factory=list)

    def open_in(self, matter: Matter) -> Proposal | None:
        own = [one for one in self.proposals if matter_of(one.threshold) == matter]
        return next((one for one in own if one.state == PROPOSED), None)

    def reached(self, threshold: Threshold) -> None:
        """Propose a threshold unless something as heavy is open, which it supersedes (D3, D5)."""
        self.heard.append(threshold)
        stands = self.open_in(matter_of(threshold))
        if stands is not None and threshold.weight <= stands.threshold.weight:
            return
        if stands is not None:
            stands.state = SUPERSEDED
        self.proposals.append(Proposal(threshold))

    def retracted(self, threshold: Threshold) -> None:
        """Withdraw what rested on a threshold; the heaviest still active then stands (D4, D6)."""
        self.heard.remove(threshold)
        own = self.proposal_of(threshold)
        if own is None:
            return
        was_open = own.state == PROPOSED
        own.state = WITHDRAWN
        left = [one for one in self.heard if matter_of(one) == matter_of(threshold)]
        if not was_open or not left:
            return
        heaviest = max(left, key=lambda one: one.weight)
        before = self.proposal_of(heaviest)
        if before is None:
            self.proposals.append(Proposal(heaviest))
        else:
            before.state = PROPOSED

    def proposal_of(self, threshold: Threshold) -> Proposal | None:
        return next((one for one in self.proposals if one.threshold is threshold), None)


def matter_of(threshold: Threshold) -> Matter:
    return threshold.group, threshold.year
