"""Who is notified of what, by which channel, and with which details. Pure.

The person is notified of a count early, while a letter can still change it; the superiors are
notified of what they must act on; of a decided case all of them are.
"""

from collections.abc import Mapping, Sequence

from services.notifications.notices import spelled
from shared.events.attendance import AbsenceThresholdReached, AbsenceThresholdRetracted
from shared.events.discipline import (
    CaseReviewRequired,
    SanctionProposalReinstated,
    SanctionProposalWithdrawn,
    SanctionProposed,
)
from shared.events.notifications import Channel, Role

Proposal = (
    SanctionProposed | SanctionProposalWithdrawn | SanctionProposalReinstated | CaseReviewRequired
)
News = AbsenceThresholdReached | AbsenceThresholdRetracted | Proposal

# Under which template.
AUDIENCE: Mapping[type[News], Sequence[tuple[Role, str]]] = {
    AbsenceThresholdReached: (("employee", "threshold-reached"),),
    AbsenceThresholdRetracted: (("employee", "threshold-retracted"),),
    SanctionProposed: (("superior", "sanction-proposed"), ("unit_head", "sanction-proposed")),
    SanctionProposalWithdrawn: (
        ("superior", "proposal-withdrawn"),
        ("unit_head", "proposal-withdrawn"),
    ),
    SanctionProposalReinstated: (
        ("superior", "proposal-reinstated"),
        ("unit_head", "proposal-reinstated"),
    ),
    CaseReviewRequired: (
        ("employee", "case-review-employee"),
        ("superior", "case-review"),
        ("unit_head", "case-review"),
    ),
}
CHANNELS: Mapping[Role, Sequence[Channel]] = {
    "employee": ("inbox", "mail", "whatsapp"),
    "superior": ("inbox", "mail"),
    "unit_head": ("inbox", "mail"),
}


def rows() -> Mapping[str, str]:
    """Give who hears of what and by what, a text each by its name: the plan follows from these.

    The notices that are told would be others for the same log, so who changes one raises the
    planner's version (`Planner.rules`).
    """
    audience = {
        f"audience of {kind.__name__}": ", ".join(f"{role}: {template}" for role, template in told)
        for kind, told in AUDIENCE.items()
    }
    return audience | {f"channels of {role}": ", ".join(each) for role, each in CHANNELS.items()}


def recipient_of(role: Role, said: News) -> str | None:
    """Name who fills a role towards the person, as known then; None: nobody does."""
    match said:
        case AbsenceThresholdReached() | AbsenceThresholdRetracted():
            return said.employee_id if role == "employee" else None
        case _:
            answers = {
                "employee": said.employee_id,
                "superior": said.employee.supervisor_id,
                "unit_head": said.employee.unit_id,
            }
            mine = role == "superior" and answers[role] == said.employee_id
            return None if mine else answers[role] or None


def details_of(said: News) -> dict[str, str]:
    """Give the details that fill the text."""
    match said:
        case AbsenceThresholdReached():
            return {
                "year": str(said.year),
                "measure": said.measure,
                "threshold_days": str(said.threshold_days),
                "days": str(said.days),
                "dates": spelled(said.dates),
                "level": said.tier.level,
                "sanction": said.tier.sanction,
                "article": said.tier.article,
            }
        case AbsenceThresholdRetracted():
            return {
                "year": str(said.year),
                "measure": said.measure,
                "threshold_days": str(said.threshold_days),
                "days": str(said.days),
            }
        case SanctionProposed():
            return {
                "case_id": said.case_id,
                "year": str(said.year),
                "measure": said.measure,
                "days": str(said.days),
                "level": said.level,
                "sanction": said.sanction,
                "article": said.article,
            }
        case SanctionProposalWithdrawn() | SanctionProposalReinstated() | CaseReviewRequired():
            return {"case_id": said.case_id, "year": str(said.year), "sanction": said.sanction}
