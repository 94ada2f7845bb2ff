"""Dates that a second folder closes although neither it nor the one before tells of them (A1)."""

from collections.abc import Container, Iterator, Mapping
from datetime import date

from services.attendance.dataset.closings import NEXT
from services.attendance.dataset.dataset import Dataset
from services.attendance.facts.closings import Closed
from shared.kernel.local_time import date_of


def unheard_gaps(
    dataset: Dataset, closed: Mapping[str, Closed], through: date
) -> dict[str, tuple[date, date]]:
    """Give the first and last date, by regency, between its last closing and the first check-in.

    A regency whose first check-in behind its last closing is of the next date has none. A person
    who is required on such a date and has no letter is absent on it: people must be told.
    """
    first: dict[str, date] = {}
    for code, on in _attended(dataset, closed.keys()):
        if closed[code].last < on < first.get(code, date.max):
            first[code] = on
    found: dict[str, tuple[date, date]] = {}
    for code in sorted(closed.keys() & dataset.regencies.keys()):
        begin = closed[code].last + NEXT
        end = min(first.get(code, date.max), through + NEXT) - NEXT
        if begin <= end:
            found[code] = begin, end
    return found


def _attended(dataset: Dataset, codes: Container[str]) -> Iterator[tuple[str, date]]:
    """Give regency and local date of each punch and other check-in in some regencies."""
    for heard in dataset.punches:
        code = dataset.devices[heard.log.serial].regency
        if code in codes:
            days = {heard.clock.day_of(at) for at in heard.occurred_at}
            yield from ((code, date_of(day)) for day in days)
    for check_in in dataset.check_ins:
        at = check_in.occurred_at
        code = dataset.clocks.home(dataset.histories, check_in.employee_id, at)
        if code in codes:
            yield code, date_of(dataset.clocks.regency(code).day_of(at))
