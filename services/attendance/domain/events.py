"""Makes the events of conclusions: structs of the models in `shared.events.attendance`."""

from functools import cache

from services.attendance.domain.ledger import Reached
from services.attendance.domain.person import Day, Person, Said
from services.attendance.domain.reference_data import Knowledge
from services.attendance.domain.rules import RuleSet
from shared.events import attendance as words
from shared.events.envelope import event_id, source_of
from shared.events.structs import maker_of
from shared.kernel.local_time import date_of

SOURCE = source_of("attendance")

_assessed = maker_of(words.WorkdayAssessed)
_reached = maker_of(words.AbsenceThresholdReached)
_retracted = maker_of(words.AbsenceThresholdRetracted)
_ref = maker_of(words.RuleSetRef)
_then = maker_of(words.EmployeeThen)
_tier = maker_of(words.TierReached)


@cache
def reference(rule_set: RuleSet) -> words.RuleSetRef:
    """Name a rule set by id, version and digest."""
    return _ref(id=rule_set.id, version=rule_set.version, digest=rule_set.digest)


def assessed(person: Person, knowledge: Knowledge, on: int, day: Day) -> words.WorkdayAssessed:
    """Make the event of a workday's assessment."""
    return _assessed(
        employee_id=person.id,
        on=date_of(on),
        status=day.status,
        revision=day.revision,
        late_minutes=day.late,
        early_minutes=day.early,
        missed=day.missed,
        excuse_id=day.excuse_id,
        check_ins=day.check_ins,
        window_from=None if day.window is None else date_of(day.window),
        employment=day.employment,
        unit_id=day.unit_id,
        schedule_id=day.schedule_id,
        rule_set=None if day.rules is None else reference(knowledge.rule_sets[day.rules]),
    )


def reached(person: Person, news: Reached) -> words.AbsenceThresholdReached:
    """Make the event of a reached tier, with the days that count and the ids of their events."""
    line = person.lines[-1]
    tier = news.tier
    rungs = sorted({*news.dates, *news.converted})
    return _reached(
        employee_id=person.id,
        employment_class=news.klass,
        year=news.year,
        measure=news.measure,
        threshold_days=tier.days,
        days=news.days,
        dates=tuple(date_of(d) for d in news.dates),
        rule_set=reference(news.rules),
        employee=_then(
            employment=line.employment,
            unit_id=line.unit_id,
            position_level=line.position_level,
            supervisor_id=line.supervisor_id,
        ),
        tier=_tier(
            level=tier.level, sanction=tier.sanction, article=tier.article, weight=tier.weight
        ),
        evidence=tuple(event_id(SOURCE, person.id, person.history.seqs[d]) for d in rungs),
    )


def retracted(person: Person, said: Said, left: int) -> words.AbsenceThresholdRetracted:
    """Make the event of a threshold that no longer stands."""
    return _retracted(
        employee_id=person.id,
        employment_class=said.klass,
        year=said.year,
        measure=said.measure,
        threshold_days=said.threshold_days,
        threshold_event_id=event_id(SOURCE, person.id, said.seq),
        days=left,
    )
