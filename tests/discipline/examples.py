"""Thresholds as attendance says them: the ladder of PP 94/2021, by days."""

from datetime import date

from services.discipline.domain.proposing import Heard
from shared.events.attendance import (
    AbsenceThresholdReached,
    AbsenceThresholdRetracted,
    EmployeeThen,
    Employment,
    Level,
    Measure,
    RuleSetRef,
    TierReached,
)

RULES = RuleSetRef(id="pp94-2021", version=1, digest="d")
PERSON = EmployeeThen(
    employment="PNS", unit_id="U", position_level="PELAKSANA", supervisor_id="chief"
)
LADDER: dict[int, tuple[Level, str, str, int]] = {
    3: ("ringan", "teguran_lisan", "9(2) b", 1003),
    4: ("ringan", "teguran_tertulis", "9(2) b", 1004),
    7: ("ringan", "pernyataan_tidak_puas", "9(2) b", 1007),
    11: ("sedang", "potong_tunjangan_25_6_bulan", "10(2) f", 2011),
    28: ("berat", "pdhtaps", "11(2) d 3", 3028),
}
RUN: tuple[Level, str, str, int] = ("berat", "pdhtaps", "11(2) d 4", 3028)


def said(
    days: int,
    measure: Measure = "cumulative",
    *,
    person: str = "A",
    year: int = 2026,
    employment: Employment = "PNS",
) -> AbsenceThresholdReached:
    level, sanction, article, weight = RUN if measure == "consecutive" else LADDER[days]
    return AbsenceThresholdReached(
        employee_id=person,
        employment_class=employment,
        year=year,
        measure=measure,
        threshold_days=days,
        days=days,
        dates=tuple(date(year, 1, day) for day in range(1, days + 1)),
        rule_set=RULES,
        employee=PERSON.model_copy(update={"employment": employment}),
        tier=TierReached(level=level, sanction=sanction, article=article, weight=weight),
        evidence=tuple(f"/attendance/{person}@{day}" for day in range(1, days + 1)),
    )


def reached(  # noqa: PLR0913  (what a test wants to vary)
    event_id: str,
    days: int,
    measure: Measure = "cumulative",
    *,
    person: str = "A",
    year: int = 2026,
    employment: Employment = "PNS",
) -> Heard:
    fact = said(days, measure, person=person, year=year, employment=employment)
    return Heard(event_id, "53.01", fact)


def retracted(event_id: str, reached_as: Heard) -> Heard:
    before = reached_as.said
    fact = AbsenceThresholdRetracted(
        employee_id=before.employee_id,
        employment_class=before.employment_class,
        year=before.year,
        measure=before.measure,
        threshold_days=before.threshold_days,
        threshold_event_id=reached_as.event_id,
        days=before.threshold_days - 1,
    )
    return Heard(event_id, reached_as.regency, fact)
