"""Pure look-ups: what is asked of a person on a date, as known now (section B)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from tests.oracle.holders import pin_holder
from tests.oracle.knowledge import Person, World
from tests.oracle.model import (
    COUNTRY,
    EVERYWHERE,
    CheckIn,
    Checkpoint,
    Excuse,
    Line,
    Outage,
    RuleSet,
    Schedule,
)
from tests.oracle.times import at_local

T = TypeVar("T")
LONGEST_REACH = timedelta(days=4)
"""No span reaches further from its date than this, in any zone."""


@dataclass
class View:
    """One person in the world as known now; made anew whenever more than a check-in is heard."""

    world: World
    person: Person
    memory: dict[tuple[str, object], object] = field(default_factory=dict)

    def once(self, question: str, about: object, answer: Callable[[], T]) -> T:
        """Remember an answer as long as nothing is heard that could change it."""
        key = (question, about)
        if key not in self.memory:
            self.memory[key] = answer()
        return self.memory[key]  # type: ignore[return-value]  # What `answer` gave is a T.

    def line(self, day: date) -> Line | None:
        """Give the line in force: the last begun, of equal ones the last recorded (A7)."""
        return self.once("line", day, lambda: last_begun(self.person.lines, day))

    def regency(self, day: date) -> str:
        """Give the regency on a date; before the first line begins, the first line's (A3)."""
        line = self.line(day)
        if line is None:
            line = last_begun(self.person.lines, min(one.active_from for one in self.person.lines))
        if line is None:
            msg = f"{self.person.name} has no line"
            raise LookupError(msg)
        return line.regency

    def active(self, day: date) -> bool:
        line = self.line(day)
        return line is not None and (line.active_to is None or day <= line.active_to)

    def closed(self, day: date) -> bool:
        return day in self.world.closed[self.regency(day)]

    def schedule(self, day: date) -> Schedule | None:
        return self.once("schedule", day, lambda: self.find_schedule(day))

    def find_schedule(self, day: date) -> Schedule | None:
        line = self.line(day)
        if line is None:
            return None
        shifts = [one for one in self.person.shifts if one.day == day]
        if shifts and shifts[-1].schedule_id is None:
            return None
        wanted = shifts[-1].schedule_id if shifts else line.schedule_id
        if wanted is None:
            chain = [self.world.units[one] for one in self.units(day)]
            wanted = next((one.schedule_id for one in chain if one.schedule_id), None)
        versions = [
            one
            for one in self.world.schedules[line.regency]
            if one.schedule_id == wanted and one.effective_from <= day
        ]
        own = [one for one in versions if one.regency != EVERYWHERE]
        best = own or versions
        latest = max((one.effective_from for one in best), default=None)
        return next((one for one in reversed(best) if one.effective_from == latest), None)

    def units(self, day: date) -> list[str]:
        """Give the person's unit and those above it, the nearest first."""
        line = self.line(day)
        chain: list[str] = []
        above = line.unit if line else None
        while above is not None and above not in chain:
            chain.append(above)
            above = self.world.units[above].parent
        return chain

    def checkpoints(self, day: date) -> tuple[Checkpoint, ...]:
        schedule = self.schedule(day)
        return schedule.week[day.weekday()] if schedule else ()

    def at(self, day: date, clock: timedelta) -> datetime:
        return at_local(day, clock, self.world.zone(self.regency(day)))

    def span(self, day: date) -> tuple[datetime, datetime] | None:
        """Give the span of a date from its schedule alone, slack included (B2)."""
        return self.once("span", day, lambda: self.find_span(day))

    def find_span(self, day: date) -> tuple[datetime, datetime] | None:
        schedule, points = self.schedule(day), self.checkpoints(day)
        if schedule is None or not points:
            return None
        opens = min(one.opens for one in points) - schedule.slack
        closes = max(one.closes for one in points) + schedule.slack
        return self.at(day, opens), self.at(day, closes)

    def day_of(self, check_in: CheckIn) -> date | None:
        """Say to which date a check-in belongs; None for a check-in outside every span (B1)."""
        return self.once("day of", check_in.key, lambda: self.find_day(check_in))

    def find_day(self, check_in: CheckIn) -> date | None:
        near = (check_in.at - LONGEST_REACH).date()
        found: list[tuple[timedelta, date]] = []
        for offset in range(2 * LONGEST_REACH.days + 1):
            day = near + timedelta(days=offset)
            span = self.span(day)
            if span is not None and span[0] <= check_in.at <= span[1]:
                dues = [self.at(day, one.due) for one in self.checkpoints(day)]
                found.append((min(abs(check_in.at - due) for due in dues), day))
        return min(found)[1] if found else None

    def check_ins(self, day: date) -> list[CheckIn]:
        own = [one for one in self.person.check_ins if self.day_of(one) == day]
        return sorted(own, key=lambda one: (one.at, one.key))

    def holiday(self, day: date) -> bool:
        """Say whether a date is a holiday or joint leave in the person's regency (B4)."""
        return self.once("holiday", day, lambda: self.find_holiday(day))

    def find_holiday(self, day: date) -> bool:
        code = self.regency(day)
        rows = [one for one in self.world.decrees[code] if one.day == day]
        for scope in (code, self.world.regencies[code].province, COUNTRY):
            narrow = [one for one in rows if one.scope == scope]
            if narrow:
                return narrow[-1].kind != "working_day"
        return False

    def required(self, day: date) -> bool:
        """Say whether the person must attend on a date (B3)."""
        return self.once("required", day, lambda: self.find_required(day))

    def find_required(self, day: date) -> bool:
        schedule = self.schedule(day)
        if schedule is None or not self.active(day):
            return False
        if not any(one.presence for one in self.checkpoints(day)):
            return False
        return schedule.on_holidays or not self.holiday(day)

    def counts(self, day: date) -> bool:
        """Say whether a date counts for an evidence window, once it is closed (B13)."""
        return self.required(day) or (day.weekday() < 5 and not self.holiday(day))

    def rule_set(self, day: date) -> RuleSet | None:
        """Give the rule set in force as known now: own regency, latest, highest version (C3)."""
        line = self.line(day)
        if line is None:
            return None
        known = [
            one
            for one in self.world.rules[line.regency]
            if line.employment in one.applies_to and one.effective_from <= day
        ]
        best = [one for one in known if one.regency != EVERYWHERE] or known
        rank = max(((one.effective_from, one.version) for one in best), default=None)
        return next(
            (one for one in reversed(best) if (one.effective_from, one.version) == rank), None
        )

    def excuse(self, day: date) -> Excuse | None:
        """Give the first recorded unrevoked excuse that covers a date (B8)."""
        return next(
            (
                one
                for one in self.person.excuses
                if one.first <= day <= one.last and one.excuse_id not in self.person.revoked
            ),
            None,
        )

    def outage(self, day: date) -> bool:
        """Say whether an outage touches the window of a presence checkpoint (B9, B10)."""
        return self.once("outage", day, lambda: self.find_outage(day))

    def find_outage(self, day: date) -> bool:
        windows = [
            (self.at(day, one.opens), self.at(day, one.closes))
            for one in self.checkpoints(day)
            if one.presence
        ]
        return any(
            outage.begins <= closes and opens <= outage.ends
            for outage in self.world.outages
            if self.concerns(outage, day)
            for opens, closes in windows
        )

    def concerns(self, outage: Outage, day: date) -> bool:
        """Say whether all that an outage names is the person's on that date (B9)."""
        if self.line(day) is None or outage.regency != self.regency(day):
            return False
        if outage.unit is not None and outage.unit not in self.units(day):
            return False
        return outage.serial is None or self.has_pin(outage.serial, day)

    def has_pin(self, serial: str, day: date) -> bool:
        on_device = [one for one in self.world.pins if one.serial == serial]
        return any(
            pin_holder([one for one in on_device if one.pin == pin], day) == self.person.name
            for pin in {one.pin for one in on_device}
        )


def last_begun(lines: list[Line], day: date) -> Line | None:
    begun = [one for one in lines if one.active_from <= day]
    latest = max((one.active_from for one in begun), default=None)
    return next((one for one in reversed(begun) if one.active_from == latest), None)
