"""One day of one person: which check-ins belong to it, what it asked for, what was met."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from services.attendance.domain.outages import Outage
from services.attendance.domain.person import Line, Person
from services.attendance.domain.reference_data import Ask, Knowledge, Regency
from services.attendance.domain.schedule import Plan
from services.attendance.domain.units import units_up
from shared.kernel.lines import is_active, line_in_force
from shared.kernel.local_time import NEVER, weekday_of
from shared.kernel.working_days import FIVE_DAYS

Heard = dict[str, int]  # Check-ins by id: their instants.
CheckIns = tuple[tuple[int, ...], tuple[str, ...]]  # Instants, and in their order the ids.
NO_CHECK_INS: CheckIns = ((), ())


class Met(Struct, frozen=True, gc=False):
    """How check-ins meet a plan. Units: whole minutes, rounded down per checkpoint (B11)."""

    marks: int
    late: int
    early: int
    missed: tuple[str, ...]


def asked(person: Person, knowledge: Knowledge, day: int) -> Ask | None:
    """Say what a date asks: required if active, a presence checkpoint, and no holiday (B3).

    The schedule is the shift's, else the line's, else the unit's or one above (B5). Before the
    first line there is none, whatever shifts say: only the regency is known (A3). None: of a
    regency that was never registered.
    """
    return asked_under(line_in_force(person.lines, day), person, knowledge, day)


def asked_under(line: Line | None, person: Person, knowledge: Knowledge, day: int) -> Ask | None:
    """Say what a date asks of whom that line is in force for: see `asked`."""
    if line is None:
        regency = knowledge.regencies.get(person.regency_on(day) or "")
        return regency.asks(None, day) if regency is not None else None
    regency = knowledge.regencies.get(line.regency)
    if regency is None:
        return None
    if day in person.shifts:
        schedule_id = person.shifts[day]
    else:
        schedule_id = line.schedule_id or knowledge.unit_schedule(line.unit_id)
    found = regency.asks(schedule_id, day)
    if line.active_to is None or is_active(line, day):  # Nearly always the first.
        return found
    return replace(found, required=False)


def meet(plan: Plan, times: Sequence[int]) -> Met:
    """Compare check-ins, in order, with the windows of a day (B6, B11, B12)."""
    marks = late = early = inside = 0
    missed: tuple[str, ...] = ()
    for name, opens, due, closes, presence, direction in plan.windows:
        begin, end = bisect_left(times, opens), bisect_right(times, closes)
        if begin >= end:
            missed += (name,)
        elif presence:
            marks += 1
            inside += end - begin
            if direction == "in":
                if times[begin] > due:
                    late += (times[begin] - due) // 60
            elif direction == "out" and times[end - 1] < due:
                early += (due - times[end - 1]) // 60
    if plan.overlaps:
        inside = _in_any(plan, times)
    return Met(marks + (inside < len(times)), late, early, missed)


def _in_any(plan: Plan, times: Sequence[int]) -> int:
    return sum(any(w.opens <= t <= w.closes for w in plan.presence) for t in times)


def check_ins_of(person: Person, knowledge: Knowledge, day: int, found: Ask) -> CheckIns:
    """Give the check-ins that belong to a workday: instants in order of time, and their ids.

    Attribution is computed whenever a day is assessed: schedules and shifts change later (B2).
    """
    plan, regency = found.plan, found.regency
    if plan is None:
        return NO_CHECK_INS
    heard: Heard = {}
    for bucket in plan.buckets:
        if punches := person.punches.get(bucket):
            heard = heard | punches if heard else punches
    if not heard:
        return NO_CHECK_INS
    times: Sequence[int] = [*heard.values()]
    if times != sorted(set(times)):  # Not as they came: some of one instant, or heard late.
        heard = _in_order(heard)
        times = [*heard.values()]
    if times[0] < plan.begins or times[-1] > plan.ends:
        heard = _within(heard, plan)
    if regency.days_back or regency.days_ahead or len(person.lines) > 1:
        # Only in these cases can another workday's span contain the same check-in.
        heard = _attributed(heard, person, knowledge, day)
    return (*heard.values(),), (*heard,)


# Separate functions, as `check_ins_of` needs none of them for an ordinary day: a comprehension in
# it would cost a cell for each name that it uses, at every call.


def _in_order(heard: Heard) -> Heard:
    return dict(sorted(heard.items(), key=lambda check_in: (check_in[1], check_in[0])))


def _within(heard: Heard, plan: Plan) -> Heard:
    return {id_: at for id_, at in heard.items() if plan.begins <= at <= plan.ends}


def _attributed(heard: Heard, person: Person, knowledge: Knowledge, day: int) -> Heard:
    return {id_: at for id_, at in heard.items() if attribution(person, knowledge, at) == day}


def attribution(person: Person, knowledge: Knowledge, instant: int) -> int | None:
    """Name the workday of a check-in: of several spans the nearest `due`, then the earlier (B1).

    None: it lies outside every span, is kept, and counts for nothing (B2).
    """
    best: int | None = None
    nearest: Plan | None = None
    for day in candidates(person, knowledge, instant):
        found = asked(person, knowledge, day)
        plan = found.plan if found is not None else None
        if plan is None or not plan.begins <= instant <= plan.ends:
            continue
        if nearest is None or _distance(plan, instant) < _distance(nearest, instant):
            best, nearest = day, plan
    return best


def _distance(plan: Plan, instant: int) -> int:
    return min(abs(instant - window.due) for window in plan.windows)


def is_open(person: Person, knowledge: Knowledge, instant: int) -> bool:
    """Say, quickly, whether an instant can only belong to open days; False: perhaps not."""
    if len(person.lines) != 1:
        return False
    regency = knowledge.regencies.get(person.lines[0].regency)
    return regency is not None and instant >= regency.open_from


def candidates(person: Person, knowledge: Knowledge, instant: int) -> range:
    """Give the dates whose span could hold an instant, wherever the person lived; in order."""
    first, last = NEVER, 0
    for line in person.lines:
        regency = knowledge.regencies.get(line.regency)
        if regency is not None:
            local = regency.clock.day_of(instant)
            first = min(first, local - regency.days_back)
            last = max(last, local + regency.days_ahead)
    return range(first, last + 1)


def covering_outage(person: Person, knowledge: Knowledge, found: Ask, day: int) -> Outage | None:
    """Give an outage that touches a presence window and concerns the person (B9, B10)."""
    if found.plan is None or not found.regency.outages:
        return None
    line = person.line_on(day)
    for outage in found.regency.outages:
        touches = any(
            w.opens <= outage.ends and outage.begins <= w.closes for w in found.plan.presence
        )
        if touches and _concerned(person, knowledge, outage, line, day):
            return outage
    return None


def _concerned(
    person: Person, knowledge: Knowledge, outage: Outage, line: Line | None, day: int
) -> bool:
    unit = line.unit_id if line is not None else None
    if outage.unit_id is not None and outage.unit_id not in units_up(knowledge.units, unit):
        return False
    return outage.serial is None or knowledge.pins.has_pin(person.id, outage.serial, day)


def counts(person: Person, knowledge: Knowledge, day: int) -> bool:
    """Say whether a date counts for an evidence window (B13)."""
    found = asked(person, knowledge, day)
    if found is None or found.required:
        return found is not None
    return weekday_of(day) in FIVE_DAYS and not found.regency.calendar.is_holiday(day)


def window_ended(person: Person, knowledge: Knowledge, start: int, needed: int) -> bool:
    """Say whether enough counting dates after the window's start are closed (B13)."""
    if needed <= 0:
        return True
    counted = closed_since(person, knowledge, start)
    return next(islice(counted, needed - 1, None), None) is not None


def closed_since(person: Person, knowledge: Knowledge, start: int) -> Iterator[int]:
    """Give the counting dates after a window's start that are closed, in order (B13)."""
    last = max(regency.last_closed for regency in lived(person, knowledge))
    for day in range(start + 1, last + 1):
        regency = knowledge.regencies.get(person.regency_on(day) or "")
        if regency is not None and regency.is_closed(day) and counts(person, knowledge, day):
            yield day


def lived(person: Person, knowledge: Knowledge) -> list[Regency]:
    """Give the regencies in which a person ever was, as far as they are registered."""
    codes = sorted({line.regency for line in person.lines})
    return [knowledge.regencies[code] for code in codes if code in knowledge.regencies]


def overlap(person: Person, knowledge: Knowledge) -> int:
    """Say how many days two workdays are apart at most whose spans hold the same check-in."""
    return max((r.days_back + r.days_ahead for r in lived(person, knowledge)), default=0)
