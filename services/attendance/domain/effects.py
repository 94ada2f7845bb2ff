"""What a fact does to the state of a person, and which days it can touch (semantics A12)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from services.attendance.domain.facts import take_fact
from services.attendance.domain.knowledge import Knowledge, Regency
from services.attendance.domain.person import CheckIn, Person, bucket_of
from services.attendance.domain.reading import Moment
from services.attendance.domain.workday import attribution

NEVER = 2**31


def hear(person: Person, knowledge: Knowledge, fact_id: str, data: Any) -> int | None:
    """Take a check-in; give the workday that it belongs to, if it is news and belongs to one."""
    instant = int(data.occurred_at.timestamp())
    bucket = bucket_of(instant)
    known = person.punches.get(bucket)
    if known is None:
        known = person.punches[bucket] = {}
    elif fact_id in known:
        return None  # Heard again: the first stands (A14).
    known[fact_id] = instant
    person.dirty_days.add(bucket)
    day = attribution(person, knowledge, instant)
    if day is not None:
        person.attribute(day, (instant, fact_id))
    return day


def _check_in(now: Moment, fact_id: str, _: str, data: Any) -> Iterable[int]:
    day = hear(now.person, now.knowledge, fact_id, data)
    return () if day is None else (day,)


def _registered(now: Moment, fact_id: str, _: str, data: Any) -> Iterable[int]:
    if not _new(now, "EmployeeRegistered", fact_id, data):
        return ()
    begins = data.active_from.toordinal()
    later = [line.active_from for line in now.person.lines if line.active_from > begins]
    return _reattributed(now, begins, min(later) - 1 if later else NEVER)


def _shift(now: Moment, fact_id: str, _: str, data: Any) -> Iterable[int]:
    if not _new(now, "ShiftAssigned", fact_id, data):
        return ()
    day = data.on.toordinal()
    return _reattributed(now, day, day)


def _excuse(now: Moment, fact_id: str, _: str, data: Any) -> Iterable[int]:
    if not _new(now, "ExcuseRecorded", fact_id, data):
        return ()
    return _closed_days(now, data.first_on.toordinal(), data.last_on.toordinal())


def _revoked(now: Moment, fact_id: str, _: str, data: Any) -> Iterable[int]:
    if not _new(now, "ExcuseRevoked", fact_id, data):
        return ()
    excuse = now.person.excuse(data.excuse_id, fact_id)
    return _closed_days(now, excuse.first, excuse.last)


def _forgotten(now: Moment, fact_id: str, _: str, data: Any) -> Iterable[int]:
    _new(now, "PersonForgotten", fact_id, data)
    return ()


def _new(now: Moment, kind: str, fact_id: str, data: Any) -> bool:
    """Take a fact that is kept; False if it was heard before."""
    if not take_fact(now.person, kind, fact_id, data):
        return False
    now.person.new_facts.append((len(now.person.facts), kind, fact_id, now.recorded, data))
    return True


def _closing(now: Moment, _: str, subject: str, data: Any) -> Iterable[int]:
    day = data.on.toordinal()
    if now.person.regency_on(day) != subject:
        return ()
    now.closing = day
    return (day,)


def _calendar(now: Moment, _: str, subject: str, data: Any) -> Iterable[int]:
    day = data.on.toordinal()
    return (day,) if now.person.regency_on(day) == subject else ()


def _schedule(now: Moment, _: str, subject: str, data: Any) -> Iterable[int]:
    return _reattributed(now, data.effective_from.toordinal(), NEVER)


def _outage(now: Moment, _: str, subject: str, data: Any) -> Iterable[int]:
    regency = now.knowledge.regencies[subject]
    begins = regency.zone.day_of(int(data.begins_at.timestamp())) - regency.days_back
    ends = NEVER if data.ends_at is None else regency.zone.day_of(int(data.ends_at.timestamp()))
    return _closed_days(now, begins, ends + regency.days_ahead)


def _pin(now: Moment, _: str, _subject: str, data: Any) -> Iterable[int]:
    """Give the closed days of a PIN: it decides whose outages concern a person (B9)."""
    outages = (o for r in now.knowledge.regencies.values() for o in r.outages)
    if not any(outage.serial == data.serial for outage in outages):
        return ()
    return _closed_days(now, data.valid_from.toordinal(), NEVER)


# Kinds that change no count of an evidence window: letters and check-ins.
MOVES_NO_WINDOW = frozenset({"CheckInRecorded", "ExcuseRecorded", "ExcuseRevoked"})

HANDLERS: dict[str, Callable[[Moment, str, str, Any], Iterable[int]]] = {
    "CheckInRecorded": _check_in,
    "EmployeeRegistered": _registered,
    "ShiftAssigned": _shift,
    "ExcuseRecorded": _excuse,
    "ExcuseRevoked": _revoked,
    "PersonForgotten": _forgotten,
    "WorkdayClosed": _closing,
    "CalendarPublished": _calendar,
    "SchedulePublished": _schedule,
    "OutageDeclared": _outage,
    "PinAssigned": _pin,
}


def settle(now: Moment) -> Sequence[int]:
    """Attribute what a restore left loose; give the days that this changes.

    Under the knowledge before this step none of it belonged to a day already said: what does
    now has been moved there by the very fact of this step.
    """
    person, changed = now.person, []
    for check_in in person.loose:
        day = attribution(person, now.knowledge, check_in[0])
        if day is not None:
            person.attribute(day, check_in)
            if day in person.days:
                changed.append(day)
    person.loose.clear()
    return changed


def _closed_days(now: Moment, first: int, last: int) -> Sequence[int]:
    """Give the days of a range of which something may have been concluded."""
    spans = [(r.first_closed, r.last_closed) for r in _lived(now)]
    begin = min((span[0] for span in spans if span[0] is not None), default=NEVER)
    end = max((span[1] for span in spans), default=-1)
    said = [day for day in now.person.days if first <= day <= last and not begin <= day <= end]
    return [*range(max(first, begin), min(last, end) + 1), *said]


def _reattributed(now: Moment, first: int, last: int) -> Sequence[int]:
    """Attribute the check-ins around a range of days anew (B2); give the days that may change."""
    person = now.person
    margin = 2 + max((r.days_back + r.days_ahead for r in _lived(now)), default=0)
    moved: set[int] = set()
    for bucket in [b for b in person.punches if first - margin <= b <= last + margin]:
        for fact_id, instant in person.punches[bucket].items():
            moved |= _move(now, (instant, fact_id), margin)
    beyond = sorted(day for day in moved if not first <= day <= last)
    return [*_closed_days(now, first, last), *beyond]


def _move(now: Moment, check_in: CheckIn, margin: int) -> set[int]:
    """Put one check-in where it now belongs; give the days it left and came to."""
    person, near = now.person, bucket_of(check_in[0])
    target = attribution(person, now.knowledge, check_in[0])
    for day in range(near - margin, near + margin + 1):
        held = person.attributed.get(day)
        if held is not None and check_in in held:
            if day == target:
                return set()
            held.remove(check_in)
            if target is not None:
                person.attribute(target, check_in)
            return {day} if target is None else {day, target}
    if target is None:
        return set()
    person.attribute(target, check_in)
    return {target}


def _lived(now: Moment) -> Iterator[Regency]:
    """Give the regencies in which the person ever was, as far as they are registered."""
    for code in sorted({line.regency for line in now.person.lines}):
        regency = now.knowledge.regencies.get(code)
        if regency is not None:
            yield regency
