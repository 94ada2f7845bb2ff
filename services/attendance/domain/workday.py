"""One day of one person: which check-ins belong to it, what it asked for, what was met."""

from collections.abc import Sequence
from typing import NamedTuple

from services.attendance.domain.knowledge import Knowledge, Regency
from services.attendance.domain.outages import Outage
from services.attendance.domain.person import CheckIn, Line, Person
from services.attendance.domain.schedule import Plan

SATURDAY = 5


class Asked(NamedTuple):
    """What a date asks of a person, as known now."""

    line: Line | None
    regency: Regency | None
    schedule_id: str | None
    plan: Plan | None
    required: bool


class Met(NamedTuple):
    """How check-ins meet a plan. Units: whole minutes, rounded down per checkpoint (B11)."""

    marks: int
    late: int
    early: int
    missed: tuple[str, ...]


def asked(person: Person, knowledge: Knowledge, day: int) -> Asked:
    """Say what a date asks: required if active, a presence checkpoint, and no holiday (B3).

    The schedule is the shift's, else the line's, else the unit's or one above (B5). Before the
    first line there is none, whatever shifts say: only the regency is known (A3).
    """
    line = person.line_on(day)
    code = line.regency if line is not None else person.regency_on(day)
    regency = knowledge.regencies.get(code) if code is not None else None
    if regency is None:
        return Asked(line, None, None, None, False)  # noqa: FBT003  (positional: the hot path)
    name = None if line is None else _schedule_of(person, knowledge, line, day)
    schedule_id, plan, working = regency.asks(name, day)
    active = line is not None and (line.active_to is None or line.active_to >= day)
    return Asked(line, regency, schedule_id, plan, working and active)


def _schedule_of(person: Person, knowledge: Knowledge, line: Line, day: int) -> str | None:
    if day in person.shifts:
        return person.shifts[day]
    return line.schedule_id or knowledge.unit_schedule(line.unit_id)


def meet(plan: Plan, times: Sequence[int]) -> Met:  # noqa: C901  (one loop: the hot path)
    """Hold check-ins, in order, against the windows of a day (B6, B11, B12)."""
    marks = late = early = 0
    missed: list[str] = []
    strays = len(times)
    for name, opens, due, closes, presence, direction in plan.windows:
        first = last = 0
        for time in times:
            if opens <= time <= closes:
                first = first or time
                last = time
        if not first:
            missed.append(name)
        elif presence:
            marks += 1
            if direction == "in":
                late += max(0, first - due) // 60
            elif direction == "out":
                early += max(0, due - last) // 60
    for time in times:
        for _, opens, _, closes, _, _ in plan.presence:
            if opens <= time <= closes:
                strays -= 1
                break
    return Met(marks + 1 if strays else marks, late, early, tuple(missed))


def check_ins_of(
    person: Person, knowledge: Knowledge, day: int, found: Asked
) -> Sequence[CheckIn]:
    """Give the check-ins that belong to a workday, in order of time.

    Attribution is made anew whenever a day is read: schedules and shifts change later (B2).
    """
    plan, regency = found.plan, found.regency
    if plan is None or regency is None:
        return ()
    begins, ends, heard = plan.begins, plan.ends, []
    for bucket in plan.buckets:
        punches = person.punches.get(bucket)
        if punches:
            heard += [(t, fact_id) for fact_id, t in punches.items() if begins <= t <= ends]
    if heard and (regency.days_back or regency.days_ahead or len(person.lines) > 1):
        # Only here can another workday's span hold the same check-in.
        heard = [each for each in heard if attribution(person, knowledge, each[0]) == day]
    heard.sort()
    return heard


def attribution(person: Person, knowledge: Knowledge, instant: int) -> int | None:
    """Name the workday of a check-in: of several spans the nearest `due`, then the earlier (B1).

    None: it lies outside every span, is kept, and counts for nothing (B2).
    """
    best: int | None = None
    nearest: Plan | None = None
    for day in candidates(person, knowledge, instant):
        plan = asked(person, knowledge, day).plan
        if plan is None or not plan.begins <= instant <= plan.ends:
            continue
        if nearest is None or _distance(plan, instant) < _distance(nearest, instant):
            best, nearest = day, plan
    return best


def _distance(plan: Plan, instant: int) -> int:
    return min(abs(instant - window.due) for window in plan.windows)


def candidates(person: Person, knowledge: Knowledge, instant: int) -> range:
    """Give the dates whose span could hold an instant, wherever the person lived; in order."""
    if len(person.lines) == 1:  # Nearly everybody: the general way below takes twice as long.
        regency = knowledge.regencies.get(person.lines[0].regency)
        if regency is None:
            return range(0)
        local = regency.zone.day_of(instant)
        return range(local - regency.days_back, local + regency.days_ahead + 1)
    first, last = 2**31, 0
    for line in person.lines:
        regency = knowledge.regencies.get(line.regency)
        if regency is not None:
            local = regency.zone.day_of(instant)
            first = min(first, local - regency.days_back)
            last = max(last, local + regency.days_ahead)
    return range(first, last + 1)


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
    if found.required or found.regency is None:
        return found.required
    return (day - 1) % 7 < SATURDAY and not found.regency.calendar.is_holiday(day)


def window_ended(person: Person, knowledge: Knowledge, start: int, needed: int) -> bool:
    """Say whether enough counting dates after the window's start are closed (B13)."""
    if needed <= 0:
        return True
    lived = (knowledge.regencies.get(line.regency) for line in person.lines)
    last = max(regency.last_closed for regency in lived if regency is not None)
    seen = 0
    for day in range(start + 1, last + 1):
        regency = knowledge.regencies.get(person.regency_on(day) or "")
        if regency is not None and regency.is_closed(day) and counts(person, knowledge, day):
            seen += 1
            if seen >= needed:
                return True
    return False
