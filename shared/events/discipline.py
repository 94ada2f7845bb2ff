"""Events of the discipline service, keyed by employee. Names are stored: never changed."""

from typing import ClassVar, Literal

from shared.events.attendance import EmployeeThen, Level, Measure, RuleSetRef
from shared.events.base import Fact

EVENTS = "discipline.events.v1"


class CaseEvent(Fact):
    """Something that happened in one matter of one person."""

    SERVICE: ClassVar[str] = "discipline"
    TOPIC: ClassVar[str] = EVENTS
    TOLD: ClassVar[bool] = False

    case_id: str
    employee_id: str


class ThresholdNoted(CaseEvent):
    """A threshold or its retraction was applied, and no proposal changed by it."""

    threshold_event_id: str
    year: int
    measure: Measure
    threshold_days: int
    news: Literal["reached", "retracted"]


class ProposalEvent(CaseEvent):
    """Something that happened to the proposal that a threshold asks for."""

    threshold_event_id: str
    year: int
    sanction: str
    employee: EmployeeThen  # As known when the threshold was said: who answers for the person.


class SanctionProposed(ProposalEvent):
    """The law asks for this sanction; an official decides what follows."""

    level: Level
    article: str
    measure: Measure
    days: int
    weight: int
    rule_set: RuleSetRef
    evidence: tuple[str, ...]
    supersedes: str | None = None  # threshold_event_id of the proposal that this one takes over.


class SanctionProposalWithdrawn(ProposalEvent):
    """The threshold of an undecided proposal no longer stands."""


class SanctionProposalReinstated(ProposalEvent):
    """The heavier proposal fell: this superseded one is open again (semantics D4)."""


class CaseReviewRequired(ProposalEvent):
    """A threshold of a decided case no longer stands: an official must look again."""
