"""One day of one person: which check-ins belong to it, what it asked for, what was met."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.attendance.domain.knowledge import Knowledge, Regency
from services.attendance.domain.outages import Outage
from services.attendance.domain.person import Line, Person
from services.attendance.domain.schedule import Plan, Schedule

SATURDAY = 5


class Asked(NamedTuple):
    """What a date asks of a person, as known now."""

    line: Line | None
    regency: Regency | None
    schedule: Schedule | None
    plan: Plan | None
    required: bool


class Met(NamedTuple):
    """How check-ins meet a plan. Units: whole minutes, rounded down per checkpoint (B11)."""

    marks: int
    late: int
    early: int
    missed: tuple[str, ...]


def schedule_on(person: Person, knowledge: Knowledge, line: Line | None, day: int) -> str | None:
    """Name the schedule of a date: shift, else the line's, else the unit's or one above (B5)."""
    if day in person.shifts:
        return person.shifts[day]
    if line is None:
        return None
    return line.schedule_id or knowledge.unit_schedule(line.unit_id)


def asked(person: Person, knowledge: Knowledge, day: int) -> Asked:
    """Say what a date asks: required if active, a presence checkpoint, and no holiday (B3)."""
    line = person.line_on(day)
    code = line.regency if line is not None else person.regency_on(day)
    regency = knowledge.regencies.get(code) if code is not None else None
    if regency is None:
        return Asked(line, None, None, None, required=False)
    name = schedule_on(person, knowledge, line, day)
    schedule = regency.schedule(name, day) if name else None
    plan = schedule.plan(regency.zone, day) if schedule is not None else None
    required = (
        schedule is not None
        and plan is not None
        and bool(plan.presence)
        and line is not None
        and (line.active_to is None or line.active_to >= day)
        and (schedule.on_holidays or not regency.calendar.is_holiday(day))
    )
    return Asked(line, regency, schedule, plan, required)


def meet(plan: Plan, times: Sequence[int]) -> Met:
    """Hold check-ins against the windows of a day (B6, B11, B12)."""
    marks = late = early = 0
    missed: list[str] = []
    for window in plan.windows:
        within = [t for t in times if window.opens <= t <= window.closes]
        if not within:
            missed.append(window.name)
        elif window.presence:
            marks += 1
            if window.direction == "in":
                late += max(0, within[0] - window.due) // 60
            elif window.direction == "out":
                early += max(0, window.due - within[-1]) // 60
    if any(not any(w.opens <= t <= w.closes for w in plan.presence) for t in times):
        marks += 1
    return Met(marks, late, early, tuple(missed))


def attribution(person: Person, knowledge: Knowledge, instant: int) -> int | None:
    """Name the workday of a check-in: of several spans the nearest `due`, then the earlier (B1).

    None: it lies outside every span, is kept, and counts for nothing (B2).
    """
    best: tuple[int, int] | None = None
    for day in _candidates(person, knowledge, instant):
        plan = asked(person, knowledge, day).plan
        if plan is None or not plan.begins <= instant <= plan.ends:
            continue
        distance = min(abs(instant - window.due) for window in plan.windows)
        if best is None or (distance, day) < best:
            best = distance, day
    return best[1] if best is not None else None


def _candidates(person: Person, knowledge: Knowledge, instant: int) -> Iterable[int]:
    """Give the dates whose span could hold an instant, in the zones the person lived in."""
    zones = {
        knowledge.regencies[line.regency].zone
        for line in person.lines
        if line.regency in knowledge.regencies
    }
    local = [zone.day_of(instant) for zone in zones]
    if not local:
        return ()
    return range(min(local) - knowledge.days_back, max(local) + knowledge.days_ahead + 1)


def covering_outage(person: Person, knowledge: Knowledge, found: Asked, day: int) -> Outage | None:
    """Give an outage that touches a presence window and concerns the person (B9, B10)."""
    if found.regency is None or found.plan is None:
        return None
    for outage in found.regency.outages:
        touches = any(
            w.opens <= outage.ends and outage.begins <= w.closes for w in found.plan.presence
        )
        if touches and _concerned(person, knowledge, outage, found.line, day):
            return outage
    return None


def _concerned(
    person: Person, knowledge: Knowledge, outage: Outage, line: Line | None, day: int
) -> bool:
    unit = line.unit_id if line is not None else None
    if outage.unit_id is not None and outage.unit_id not in knowledge.units_up(unit):
        return False
    return outage.serial is None or knowledge.pins.has_pin(person.id, outage.serial, day)


def counts(person: Person, knowledge: Knowledge, day: int) -> bool:
    """Say whether a date counts for an evidence window (B13)."""
    found = asked(person, knowledge, day)
    if found.required:
        return True
    if found.regency is None:
        return False
    return (day - 1) % 7 < SATURDAY and not found.regency.calendar.is_holiday(day)


def window_ended(person: Person, knowledge: Knowledge, start: int, needed: int) -> bool:
    """Say whether enough counting dates after the window's start are closed (B13)."""
    if needed <= 0:
        return True
    last = max(
        knowledge.regencies[line.regency].last_closed
        for line in person.lines
        if line.regency in knowledge.regencies
    )
    seen = 0
    for day in range(start + 1, last + 1):
        regency = knowledge.regencies.get(person.regency_on(day) or "")
        if regency is not None and regency.is_closed(day) and counts(person, knowledge, day):
            seen += 1
            if seen >= needed:
                return True
    return False
