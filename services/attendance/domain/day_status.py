"""Assesses a day from the facts: status, minutes, letter, window, and the day's rule set."""

from datetime import datetime

from msgspec import Struct

from services.attendance.domain.person import Day, Line, Person
from services.attendance.domain.reference_data import Ask, Knowledge
from services.attendance.domain.rules import RuleSet, marks_of, window_of
from services.attendance.domain.workday import check_ins_of, covering_outage, meet, window_ended
from shared.events.attendance import Employment, Status
from shared.kernel.local_time import instant_of


class Moment(Struct):
    """The context of an assessment: the person, what is known, and the fact being applied.

    `recorded` is that fact's `recordedtime`; `closing` the day that it closes, if it does.
    """

    person: Person
    knowledge: Knowledge
    recorded: str
    closing: int | None


def read(now: Moment, day: int, line: Line | None, found: Ask | None, before: Day | None) -> Day:
    """Assess a day from the facts (design 5.3, semantics B).

    `line`: in force on it; `found`: what it asks; `before`: the last assessment. Revision, seq and
    recorded are those of `before`; they get new values when the day is published.
    """
    person = now.person
    employment = line.employment if line is not None else _last(before).employment
    regency = found.regency.code if found is not None else _last(before).regency
    rules = rules_of(now, day, employment, regency, before)
    excuse_id = person.excuse_on(day) if person.excuses else None
    ids: tuple[str, ...] = ()
    late = early = 0
    converts: int | None = None
    missed: tuple[str, ...] = ()
    window: int | None = None
    status: Status = "off"
    if found is not None:
        times, ids = check_ins_of(person, now.knowledge, day, found)
        if found.required and found.plan is not None:
            met = meet(found.plan, times)
            if met.marks >= marks_of(rules):
                status = "present"
                late, early, missed = met.late, met.early, met.missed
                if rules is not None and rules.lateness is not None:
                    converts = _convertible(now, day, found, excuse_id, late + early)
            elif excuse_id is not None:
                status = "excused"
            elif covering_outage(person, now.knowledge, found, day) is not None:
                status = "held"
            else:
                status, window = _absent(now, day, before, rules)
    return Day(
        status,
        late,
        early,
        missed,
        excuse_id,
        ids,
        before.revision if before is not None else 0,
        window,
        employment,
        regency,
        line.unit_id if line is not None else None,
        found.schedule_id if found is not None else None,
        rules.key if rules is not None else None,
        converts,
        before.seq if before is not None else 0,
        before.recorded if before is not None else "",
    )


def rules_of(
    now: Moment, day: int, employment: Employment, regency: str, before: Day | None
) -> RuleSet | None:
    """Give the rule set of a day: the one known when the day was first published.

    A rule set that becomes known later never changes it (design 5.7); it is looked up again when
    the person's class or regency on that date changes.
    """
    if before is not None and before.employment == employment and before.regency == regency:
        return None if before.rules is None else now.knowledge.rule_sets[before.rules]
    known = now.knowledge.regencies.get(regency)
    return known.rules(employment, day) if known is not None else None


def has_ended(now: Moment, start: int, rules: RuleSet | None) -> bool:
    """Say whether an evidence window has run out (semantics B13)."""
    return window_ended(now.person, now.knowledge, start, window_of(rules))


def _absent(
    now: Moment, day: int, before: Day | None, rules: RuleSet | None
) -> tuple[Status, int]:
    """Give pending or unexcused, and the start of the window (design 5.4, semantics B13)."""
    status: Status
    if before is not None and before.window is not None:
        status, start = before.status, before.window
    else:
        status, start = "pending", _window_start(now, day)
    if status == "pending" and has_ended(now, start, rules):
        status = "unexcused"
    return status, start


def _window_start(now: Moment, day: int) -> int:
    """Give the day itself if it is pending at its closing, else the date of the fact."""
    if now.closing == day:
        return day
    regency = now.knowledge.regencies[now.person.regency_on(day) or ""]
    return regency.clock.day_of(instant_of(datetime.fromisoformat(now.recorded)))


def _convertible(
    now: Moment,
    day: int,
    found: Ask,
    excuse_id: str | None,
    minutes: int,
) -> int | None:
    """Give the minutes that add up to days: none under an excuse or an outage (C4).

    A day in time gives 0: by its own rule set the minutes carried up to it may make a day.
    """
    if excuse_id is not None:
        return None
    covered = covering_outage(now.person, now.knowledge, found, day) is not None
    return None if covered else minutes


def _last(before: Day | None) -> Day:
    if before is None:
        raise LookupError("a day of nobody was read")
    return before
