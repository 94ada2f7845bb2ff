"""The fold of one person: each fact is one step, which gives all events that follow from it.

A step (semantics A18) applies the fact to the state, assesses the days that it can change again,
ends the evidence windows that are over, and compares the thresholds with what counts now.
"""

from collections.abc import Iterable, Sequence

from msgspec import field
from msgspec.structs import replace

from services.attendance.domain import events, ledger
from services.attendance.domain.day_history import History
from services.attendance.domain.day_status import Moment, has_ended, read
from services.attendance.domain.fact_effects import (
    CHECK_IN,
    CLOSING,
    HANDLERS,
    days_at_stake,
    hear,
)
from services.attendance.domain.fact_kinds import MOVES_NO_WINDOW
from services.attendance.domain.fold_version import ADOPTED
from services.attendance.domain.loaded_days import needed_from
from services.attendance.domain.person import Day, Person, Said
from services.attendance.domain.reference_data import Knowledge
from services.attendance.domain.rules import class_of
from services.attendance.domain.workday import asked_under
from shared.events.attendance import (
    AbsenceThresholdReached,
    AbsenceThresholdRetracted,
    Employment,
    WorkdayAssessed,
)
from shared.events.base import NewEvent, OutOfReach
from shared.events.envelope import Envelope
from shared.kernel.lines import line_in_force


def fold(person: Person, heard: Envelope, knowledge: Knowledge, seq: int) -> Sequence[NewEvent]:
    """Apply one fact to one person; give the events, of which the first is number `seq + 1`.

    Errors: OutOfReach if it needs days that are not in memory; ContradictionError if the fact
    contradicts a known one.
    """
    if person.floor and needed_from(person, knowledge, heard) is not None:
        raise OutOfReach
    kind = heard.type
    if kind == CHECK_IN:
        day = hear(person, knowledge, heard.id, heard.data)
        if day is None:
            return ()
        return Step(person, knowledge, heard.recordedtime, None, seq).conclude(kind, (day,))
    if kind == CLOSING:
        day = heard.data.on.toordinal()
        return Step(person, knowledge, heard.recordedtime, day, seq).conclude(kind, (day,))
    if kind == ADOPTED:
        step = Step(person, knowledge, heard.recordedtime, None, seq)
        # What is counted may read otherwise, though no day does.
        step.shaken.update(class_of(line.employment) for line in person.lines)
        return step.conclude(kind, days_at_stake(step))
    handler = HANDLERS.get(kind)
    if handler is None:
        return ()
    step = Step(person, knowledge, heard.recordedtime, None, seq)
    return step.conclude(kind, handler(step, heard.id, heard.subject, heard.data))


class Step(Moment):
    """One fact being applied to one person. `shaken`: classes to be judged again."""

    seq: int
    told: list[NewEvent] = field(default_factory=list)
    shaken: set[Employment] = field(default_factory=set)

    def conclude(self, kind: str, days: Iterable[int]) -> list[NewEvent]:
        """Assess these days again, end windows, judge thresholds."""
        for day in days:
            self.derive(day)
        if self.person.pending and kind not in MOVES_NO_WINDOW:
            self.end_windows()
        if self.shaken:
            self.say_thresholds()
        return self.told

    def derive(self, day: int) -> None:
        """Assess a day as known now; publish it if it is new or has changed (B14, B15)."""
        person = self.person
        before, line = person.days.get(day), line_in_force(person.lines, day)
        found = asked_under(line, person, self.knowledge, day)
        if before is None and (
            found is None or not found.required or not found.regency.is_closed(day)
        ):
            return  # Nothing is concluded of an open day.
        after = read(self, day, line, found, before)
        if before is None or _says_otherwise(after, before):
            self.say(day, after, before)
        elif after != before:
            self.keep(day, after, before)

    def end_windows(self) -> None:
        """Turn pending days whose window has run out into unexcused ones."""
        for day in sorted(self.person.pending):
            before = self.person.days[day]
            rules = None if before.rules is None else self.knowledge.rule_sets[before.rules]
            if before.window is not None and has_ended(self, before.window, rules):
                self.say(day, replace(before, status="unexcused"), before)

    def say(self, day: int, after: Day, before: Day | None) -> None:
        """Publish a day's assessment as its next revision."""
        self.seq += 1
        after.revision += 1
        after.seq = self.seq
        after.recorded = self.recorded
        self.keep(day, after, before)
        data = events.assessed(self.person, self.knowledge, day, after)
        self.told.append(NewEvent(WorkdayAssessed, data, after.regency))

    def keep(self, day: int, after: Day, before: Day | None) -> None:
        """Store a day, and note the classes whose thresholds it may change."""
        person = self.person
        person.days[day] = after
        person.dirty_days.add(day)
        if after.status == "pending":
            person.pending.add(day)
        elif person.pending:
            person.pending.discard(day)
        klass, history = class_of(after.employment), person.history
        if _shakes(history, day, after, before):
            self.shaken.add(klass)
            if before is not None:
                self.shaken.add(class_of(before.employment))
        history.put(day, after.status, after.rules, klass, after.converts, after.seq)

    def say_thresholds(self) -> None:
        """Publish thresholds that no longer stand, then newly reached ones (semantics C11)."""
        person = self.person
        regency = person.lines[-1].regency
        verdict = ledger.in_order(
            ledger.judge(person.history, person.thresholds, self.knowledge, klass)
            for klass in sorted(self.shaken)
        )
        for said, left in verdict.lost:
            self.seq += 1
            said.active = False
            person.dirty_thresholds.add(said.seq)
            lost = events.retracted(person, said, left)
            self.told.append(NewEvent(AbsenceThresholdRetracted, lost, regency))
        for news in verdict.reached:
            self.seq += 1
            reached = events.reached(person, news)
            self.told.append(NewEvent(AbsenceThresholdReached, reached, regency))
            last = person.line_on(news.dates[-1]) if news.dates else None
            said = Said(
                seq=self.seq,
                measure=news.measure,
                year=news.year,
                klass=news.klass,
                threshold_days=news.tier.days,
                days=news.days,
                dates=news.dates,
                regency=last.regency if last is not None else regency,
                sanction=news.tier.sanction,
                article=news.tier.article,
            )
            person.thresholds.append(said)
            person.dirty_thresholds.add(self.seq)


def _says_otherwise(after: Day, before: Day) -> bool:
    """Say whether anything changed that makes a new revision (B15)."""
    return (
        after.status != before.status
        or after.check_ins != before.check_ins
        or after.excuse_id != before.excuse_id
        or after.late != before.late
        or after.early != before.early
        or after.missed != before.missed
    )


def _shakes(history: History, day: int, after: Day, before: Day | None) -> bool:
    """Say whether a changed day can change a count.

    An ordinary day cannot: the person came, and no absence is later than that date.
    """
    if before is None and after.converts is None:  # Nearly every day: the rest asks more.
        return after.status == "unexcused" or day <= history.last_absence
    if before is not None and (after.rules, after.employment) != (before.rules, before.employment):
        return True
    converted = before.converts if before is not None else None
    if after.converts or converted:
        return True
    if after.converts != converted and history.has_rules_beside(after.rules):
        return True  # A day in time: by its rule set the carried minutes may make a day.
    was = before.status if before is not None else None
    if was == after.status:
        return False
    return "unexcused" in (was, after.status) or day <= history.last_absence
