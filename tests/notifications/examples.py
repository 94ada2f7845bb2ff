"""What attendance and discipline say of one person, as the planner hears it."""

from datetime import date

from services.notifications.domain import Heard
from shared.events.attendance import (
    AbsenceThresholdReached,
    AbsenceThresholdRetracted,
    EmployeeThen,
    RuleSetRef,
    TierReached,
)
from shared.events.discipline import (
    CaseReviewRequired,
    SanctionProposalWithdrawn,
    SanctionProposed,
)

RULES = RuleSetRef(id="pp94-2021", version=1, digest="d")


def then(supervisor_id: str | None = "chief", unit_id: str | None = "U") -> EmployeeThen:
    return EmployeeThen(
        employment="PNS",
        unit_id=unit_id,
        position_level="PELAKSANA",
        supervisor_id=supervisor_id,
    )


def reached(event_id: str = "/attendance/A@9", person: str = "A") -> Heard:
    fact = AbsenceThresholdReached(
        employee_id=person,
        employment_class="PNS",
        year=2026,
        measure="cumulative",
        threshold_days=3,
        days=3,
        dates=(date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)),
        rule_set=RULES,
        employee=then(),
        tier=TierReached(level="ringan", sanction="teguran_lisan", article="9(2) b", weight=1003),
        evidence=("/attendance/A@5", "/attendance/A@6", "/attendance/A@7"),
    )
    return Heard(event_id, fact)


def retracted(event_id: str = "/attendance/A@12") -> Heard:
    fact = AbsenceThresholdRetracted(
        employee_id="A",
        employment_class="PNS",
        year=2026,
        measure="cumulative",
        threshold_days=3,
        threshold_event_id="/attendance/A@9",
        days=2,
    )
    return Heard(event_id, fact)


def proposed(
    event_id: str = "/discipline/A@1",
    *,
    supervisor_id: str | None = "chief",
    unit_id: str | None = "U",
    person: str = "A",
) -> Heard:
    fact = SanctionProposed(
        case_id=f"{person}-2026-PNS",
        employee_id=person,
        threshold_event_id="/attendance/A@9",
        year=2026,
        sanction="teguran_lisan",
        employee=then(supervisor_id, unit_id),
        level="ringan",
        article="9(2) b",
        measure="cumulative",
        days=3,
        weight=1003,
        rule_set=RULES,
        evidence=("/attendance/A@5",),
    )
    return Heard(event_id, fact)


def withdrawn(event_id: str = "/discipline/A@2") -> Heard:
    fact = SanctionProposalWithdrawn(
        case_id="A-2026-PNS",
        employee_id="A",
        threshold_event_id="/attendance/A@9",
        year=2026,
        sanction="teguran_lisan",
        employee=then(),
    )
    return Heard(event_id, fact)


def review(event_id: str = "/discipline/A@3") -> Heard:
    said = withdrawn().said.model_dump()
    return Heard(event_id, CaseReviewRequired(**said))
