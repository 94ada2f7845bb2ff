"""Which days of a person are in memory, and which must be read before a fact is applied.

Days below a person's `floor` are not in memory, only their entries in the history. An ordinary
fact never needs them; for a late one the rows are read, for that person alone.
"""

from collections.abc import Callable
from typing import Any

from services.attendance.domain.buckets import bucket_of
from services.attendance.domain.person import Person
from services.attendance.domain.reference_data import Knowledge
from services.attendance.domain.workday import overlap
from shared.events import attendance as words
from shared.events.envelope import Envelope
from shared.kernel.local_time import NEVER, instant_of

MARGIN = 3  # A span touches the days beside its own; so does a punch kept by its date at UTC+8.
_AMPLE = 30  # Days; more than any span reaches. A cheap check that suffices for ordinary facts.


def needed_from(person: Person, knowledge: Knowledge, heard: Envelope) -> int | None:
    """Give the earliest day whose details a fact needs, if it is below the floor: hardly ever."""
    earliest = EARLIEST.get(heard.type)
    if not person.floor or earliest is None:
        return None
    day = earliest(person, heard.data)
    if day >= person.floor + _AMPLE:
        return None
    first = max(1, day - overlap(person, knowledge) - MARGIN)
    return first if first < person.floor else None


def forget_below(person: Person, floor: int) -> None:
    """Drop the details of old days; what is pending or not written yet stays, and all after it."""
    floor = min([floor, *person.pending, *person.dirty_days])
    for day in [day for day in person.days if day < floor]:
        del person.days[day]
    for day in [day for day in person.punches if day < floor - MARGIN]:
        del person.punches[day]
    person.stored_days = {day for day in person.stored_days if day >= floor - MARGIN}
    person.floor = max(person.floor, floor)


def _excuse_began(person: Person, data: Any) -> int:
    return min((e.first for e in person.excuses if e.id == data.excuse_id), default=NEVER)


def take_up(person: Person, floor: int) -> None:
    """Set the day from which on a restored person is in memory."""
    person.floor = floor
    for day in [day for day in person.days if day < floor]:
        del person.days[day]  # Its check-ins may lie in rows that were not read.


EARLIEST: dict[str, Callable[[Person, Any], int]] = {
    # A day less than the date at its offset: right in every zone. (Exact costs three times more.)
    words.CheckInRecorded.type_name(): lambda _, data: data.occurred_at.toordinal() - 1,
    words.EmployeeRegistered.type_name(): lambda _, data: data.active_from.toordinal(),
    words.ShiftAssigned.type_name(): lambda _, data: data.on.toordinal(),
    words.ExcuseRecorded.type_name(): lambda _, data: data.first_on.toordinal(),
    words.ExcuseRevoked.type_name(): _excuse_began,
    words.WorkdayClosed.type_name(): lambda _, data: data.on.toordinal(),
    words.CalendarPublished.type_name(): lambda _, data: data.on.toordinal(),
    words.SchedulePublished.type_name(): lambda _, data: data.effective_from.toordinal(),
    words.OutageDeclared.type_name(): lambda _, data: bucket_of(instant_of(data.begins_at)),
    words.PinAssigned.type_name(): lambda _, data: data.valid_from.toordinal(),
    words.FoldAdopted.type_name(): lambda *_: 1,  # Another fold version assesses every day again.
}
