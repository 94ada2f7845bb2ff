"""Where the plan of a dataset begins and ends (semantics A1, A2)."""

from collections.abc import Iterator
from datetime import date

from services.attendance.dataset.closings import closing_at
from services.attendance.dataset.dataset import Dataset
from shared.kernel.local_time import date_of


class Cuts:
    """Until when facts are published, so that each regency's last one is its closing of a date."""

    def __init__(self, dataset: Dataset, through: date) -> None:
        self._dataset = dataset
        self._through = through
        self._by_regency = {code: closing_at(dataset, code, through) for code in dataset.regencies}

    def regency(self, code: str) -> int:
        """Give the last instant of a regency's facts: noon of the day after."""
        return self._by_regency[code]

    def person(self, employee_id: str) -> int:
        """Give the last instant of a person's facts: that of the regency on the last date."""
        code = self._dataset.histories.regency_on(employee_id, self._through)
        return self._by_regency[code]


def last_known_date(dataset: Dataset) -> date:
    """Give the last local date on which anything becomes known: where a backfill ends by itself.

    A dataset that tells nothing with a time ends on 1 January 1970.
    """
    last = date(1970, 1, 1)
    for code, at in _latest(dataset).items():
        last = max(last, date_of(dataset.clocks.regency(code).day_of(at)))
    return last


def _latest(dataset: Dataset) -> dict[str, int]:
    """Give the last instant at which something becomes known, by the regency it is known in."""
    latest: dict[str, int] = {}
    for code, at in (*_of_regencies(dataset), *_of_people(dataset)):
        if at is not None and at > latest.get(code, at - 1):
            latest[code] = at
    return latest


def _of_regencies(dataset: Dataset) -> Iterator[tuple[str, int | None]]:
    """Give when what names a regency or a machine becomes known there."""
    for line in dataset.employees:
        yield line.regency, line.recorded_at
    for pin in dataset.pins:
        yield dataset.devices[pin.serial].regency, pin.recorded_at
    for document in (*dataset.schedules, *dataset.rule_sets):
        yield from document.known.items()
    for decree in dataset.calendar:
        yield from decree.recorded_at.items()
    for outage in dataset.outages:
        yield outage.regency, outage.recorded_at
    for heard in dataset.punches:
        if heard.known_at:
            yield dataset.devices[heard.log.serial].regency, heard.known_at[-1]


def _of_people(dataset: Dataset) -> Iterator[tuple[str, int]]:
    """Give when what names a person becomes known, in the person's regency then."""
    told = [(shift.employee_id, shift.recorded_at) for shift in dataset.shifts]
    told += [(excuse.employee_id, excuse.recorded_at) for excuse in dataset.excuses]
    told += [(e.employee_id, e.revoked_at) for e in dataset.excuses if e.revoked_at is not None]
    told += [(check_in.employee_id, check_in.received_at) for check_in in dataset.check_ins]
    for employee_id, at in told:
        yield dataset.clocks.home(dataset.histories, employee_id, at), at
