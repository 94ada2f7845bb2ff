"""From thresholds to proposals, for one person. Pure: no clock, no database, no topic.

The stream is the person: `discipline.events.v1` in `subjectseq` order is the one order of all the
matters of an employee (design 6). Every threshold and retraction leaves at least one event in it.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar, get_args

from services.discipline.domain.matters import (
    Matters,
    Threshold,
    case_of_note,
    case_to_open,
    decided_weight,
    next_in_line,
    open_proposal,
)
from shared.events.attendance import AbsenceThresholdReached, AbsenceThresholdRetracted
from shared.events.discipline import (
    CaseReviewRequired,
    SanctionProposalReinstated,
    SanctionProposalWithdrawn,
    SanctionProposed,
    ThresholdNoted,
)

Said = AbsenceThresholdReached | AbsenceThresholdRetracted
Told = (
    ThresholdNoted
    | SanctionProposed
    | SanctionProposalWithdrawn
    | SanctionProposalReinstated
    | CaseReviewRequired
)

News = TypeVar("News", SanctionProposalWithdrawn, SanctionProposalReinstated, CaseReviewRequired)


class Heard(NamedTuple):
    """An event of attendance, with the id and the regency of its envelope."""

    event_id: str
    regency: str
    said: Said


HEARS: Sequence[type[Said]] = (AbsenceThresholdReached, AbsenceThresholdRetracted)
SAYS: Sequence[type[Told]] = get_args(Told)
INITIAL = Matters()


def stream_of(heard: Heard) -> str:
    """Name the stream: the person, so that all his matters have one order."""
    return heard.said.employee_id


def decide(heard: Heard, matters: Matters) -> Sequence[Told]:
    """Give the events that follow from a threshold or its retraction; from a repeated one, none.

    Errors: LookupError for the retraction of an unknown threshold.
    """
    match heard.said:
        case AbsenceThresholdReached():
            return _on_reached(Threshold(heard.event_id, heard.regency, heard.said), matters)
        case AbsenceThresholdRetracted():
            return _on_retracted(heard.said, matters)


def _on_reached(reached: Threshold, matters: Matters) -> Sequence[Told]:
    """Propose a threshold heavier than all that stand; note any other (semantics D2, D3, D5)."""
    if reached.event_id in matters.thresholds:
        return []
    siblings = matters.of(reached.matter)
    stands = open_proposal(siblings)
    bar = max(stands.weight if stands else 0, decided_weight(siblings))
    if reached.weight <= bar:
        return [_noted(reached, siblings, reached.said)]
    return [_proposed(reached, siblings, supersedes=stands.event_id if stands else None)]


def _on_retracted(retracted: AbsenceThresholdRetracted, matters: Matters) -> Sequence[Told]:
    """Withdraw an undecided proposal, and send a decided one to review (design 6, D6)."""
    threshold = matters.thresholds.get(retracted.threshold_event_id)
    if threshold is None:
        message = f"retracted, but never heard: {retracted.threshold_event_id}"
        raise LookupError(message)
    if threshold.retracted:
        return []
    siblings = matters.of(threshold.matter)
    match threshold.standing:
        case "noted" | "withdrawn":
            return [_noted(threshold, siblings, retracted)]
        case "superseded":
            return [_about(SanctionProposalWithdrawn, threshold)]
        case "decided":
            return [_about(CaseReviewRequired, threshold)]
        case "proposed":
            return [_about(SanctionProposalWithdrawn, threshold), *_fallback(siblings)]


def _fallback(siblings: list[Threshold]) -> Sequence[Told]:
    """After the open proposal was withdrawn, propose the heaviest active threshold (D4)."""
    heir = next_in_line(siblings)
    if heir is None:
        return []
    if heir.standing == "superseded":
        return [_about(SanctionProposalReinstated, heir)]
    return [_proposed(heir, siblings, supersedes=None)]


def evolve(matters: Matters, event: Heard | Told) -> Matters:
    """Apply an event to the state, without judging it: `decide` has done that."""
    match event:
        case Heard():
            return _take_in(matters, event)
        case ThresholdNoted() | CaseReviewRequired():
            return matters
        case SanctionProposed():
            if event.supersedes is not None:
                matters = matters.changed(event.supersedes, standing="superseded")
            return matters.changed(
                event.threshold_event_id,
                standing="proposed",
                case_id=event.case_id,
                ordinal=matters.proposals + 1,
            )
        case SanctionProposalWithdrawn():
            return matters.changed(event.threshold_event_id, standing="withdrawn")
        case SanctionProposalReinstated():
            return matters.changed(event.threshold_event_id, standing="proposed")


def _take_in(matters: Matters, heard: Heard) -> Matters:
    match heard.said:
        case AbsenceThresholdReached():
            return matters.with_threshold(Threshold(heard.event_id, heard.regency, heard.said))
        case AbsenceThresholdRetracted():
            return matters.changed(heard.said.threshold_event_id, retracted=True)


def _proposed(
    threshold: Threshold, siblings: list[Threshold], supersedes: str | None
) -> SanctionProposed:
    said = threshold.said
    return SanctionProposed(
        case_id=case_to_open(said.employee_id, threshold.matter, siblings),
        employee_id=said.employee_id,
        level=said.tier.level,
        sanction=said.tier.sanction,
        article=said.tier.article,
        measure=said.measure,
        year=said.year,
        days=said.days,
        weight=said.tier.weight,
        rule_set=said.rule_set,
        threshold_event_id=threshold.event_id,
        evidence=said.evidence,
        employee=said.employee,
        supersedes=supersedes,
    )


def _about(kind: type[News], threshold: Threshold) -> News:
    """Make an event about a proposal. Errors: ValueError if it was never proposed."""
    if threshold.case_id is None:
        message = f"never proposed: {threshold.event_id}"
        raise ValueError(message)
    return kind(
        case_id=threshold.case_id,
        employee_id=threshold.said.employee_id,
        threshold_event_id=threshold.event_id,
        year=threshold.said.year,
        sanction=threshold.said.tier.sanction,
        employee=threshold.said.employee,
    )


def _noted(threshold: Threshold, siblings: list[Threshold], news: Said) -> ThresholdNoted:
    said = threshold.said
    return ThresholdNoted(
        case_id=case_of_note(said.employee_id, threshold.matter, siblings),
        employee_id=said.employee_id,
        threshold_event_id=threshold.event_id,
        year=said.year,
        measure=said.measure,
        threshold_days=said.threshold_days,
        news="reached" if isinstance(news, AbsenceThresholdReached) else "retracted",
    )
