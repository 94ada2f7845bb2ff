"""What a fact does to the state of a person, and which days it can touch (semantics A12)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from services.attendance.domain.buckets import bucket_of
from services.attendance.domain.day_status import Moment
from services.attendance.domain.fact_kinds import OF_ONE_DATE, TO_PIN_HOLDERS
from services.attendance.domain.fold_version import EVERY_REGENCY
from services.attendance.domain.person import Person
from services.attendance.domain.person_facts import take_fact
from services.attendance.domain.reference_data import Knowledge
from services.attendance.domain.workday import attribution, candidates, is_open, lived, overlap
from shared.events import attendance as words
from shared.events.envelope import Envelope
from shared.kernel.local_time import NEVER, instant_of


def hear(person: Person, knowledge: Knowledge, fact_id: str, data: Any) -> int | None:
    """Store a check-in; give the workday to assess again, if it belongs to an assessed one."""
    instant = instant_of(data.occurred_at)
    bucket = bucket_of(instant)
    known = person.punches.get(bucket)
    if known is None:
        known = person.punches[bucket] = {}
    elif fact_id in known:
        return None  # A repetition: the first stands (A14).
    known[fact_id] = instant
    person.dirty_days.add(bucket)
    if is_open(person, knowledge, instant):
        return None  # Nearly always: a day is not assessed before it is closed.
    return _said_before(person, knowledge, instant)


def _said_before(person: Person, knowledge: Knowledge, instant: int) -> int | None:
    if not any(day in person.days for day in candidates(person, knowledge, instant)):
        return None
    found = attribution(person, knowledge, instant)
    return found if found in person.days else None


def concerns(person: Person, broadcast: Envelope) -> bool:
    """Say whether a broadcast can concern a person; one of a date by the regency on it."""
    subject, lines = broadcast.subject, person.lines
    if len(lines) == 1 and lines[0].regency == subject:
        return True  # Nearly everybody, whatever it says.
    kind = broadcast.type
    if kind in TO_PIN_HOLDERS:
        return True
    if subject == EVERY_REGENCY:
        return bool(lines)
    if kind in OF_ONE_DATE:
        return person.regency_on(broadcast.data.on.toordinal()) == subject
    return subject in [line.regency for line in lines]


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
    """Apply a fact that is stored; False if it was applied before."""
    if not take_fact(now.person, kind, fact_id, data):
        return False
    now.person.new_facts.append((len(now.person.facts), kind, fact_id, now.recorded, data))
    return True


def _calendar(_now: Moment, _: str, _subject: str, data: Any) -> Iterable[int]:
    return (data.on.toordinal(),)


def _schedule(now: Moment, _: str, subject: str, data: Any) -> Iterable[int]:
    return _reattributed(now, data.effective_from.toordinal(), NEVER)


def _outage(now: Moment, _: str, subject: str, data: Any) -> Iterable[int]:
    regency = now.knowledge.regencies[subject]
    begins = regency.clock.day_of(instant_of(data.begins_at)) - regency.days_back
    ends = NEVER if data.ends_at is None else regency.clock.day_of(instant_of(data.ends_at))
    return _closed_days(now, begins, ends + regency.days_ahead)


def _pin(now: Moment, _: str, _subject: str, data: Any) -> Iterable[int]:
    """Give the closed days of a PIN: it decides whose outages concern a person (B9)."""
    outages = (o for r in now.knowledge.regencies.values() for o in r.outages)
    if not any(outage.serial == data.serial for outage in outages):
        return ()
    return _closed_days(now, data.valid_from.toordinal(), NEVER)


def days_at_stake(now: Moment) -> Sequence[int]:
    """Give every day that may have been assessed: another fold version assesses them again."""
    return _closed_days(now, 0, NEVER)


# By the `type` of the envelope: on the hot path an attribute is cheaper than a class's name.
CHECK_IN = words.CheckInRecorded.type_name()
CLOSING = words.WorkdayClosed.type_name()
HANDLERS: dict[str, Callable[[Moment, str, str, Any], Iterable[int]]] = {
    words.EmployeeRegistered.type_name(): _registered,
    words.ShiftAssigned.type_name(): _shift,
    words.ExcuseRecorded.type_name(): _excuse,
    words.ExcuseRevoked.type_name(): _revoked,
    words.PersonForgotten.type_name(): _forgotten,
    words.CalendarPublished.type_name(): _calendar,
    words.SchedulePublished.type_name(): _schedule,
    words.OutageDeclared.type_name(): _outage,
    words.PinAssigned.type_name(): _pin,
}


def _closed_days(now: Moment, first: int, last: int) -> Sequence[int]:
    """Give the days of a range that may have been assessed."""
    spans = [(r.first_closed, r.last_closed) for r in lived(now.person, now.knowledge)]
    begin = min((span[0] for span in spans if span[0] is not None), default=NEVER)
    end = max((span[1] for span in spans), default=-1)
    said = [day for day in now.person.days if first <= day <= last and not begin <= day <= end]
    return [*range(max(first, begin), min(last, end) + 1), *said]


def _reattributed(now: Moment, first: int, last: int) -> Sequence[int]:
    """Give the closed days whose check-ins may change when what is asked of a range does (B2).

    Beside the range: days whose span may hold a check-in that a day of the range holds as well.
    """
    reach = 1 + overlap(now.person, now.knowledge)
    return _closed_days(now, first - reach, last + reach)
