"""Where the plan of a dataset begins and ends (semantics A1, A2)."""

from datetime import date, timedelta

from services.attendance.edge.dataset.dataset import Dataset

NEXT = timedelta(days=1)


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


def closing_at(dataset: Dataset, code: str, on: date) -> int:
    """Give the instant at which a workday of a regency is closed: 12:00 of the next day (A1)."""
    return dataset.clocks.regency(code).noon(on + NEXT)


def first_closings(dataset: Dataset) -> dict[str, date]:
    """Give each regency's first closed date: that of its first recorded line; none without (A1)."""
    first: dict[str, int] = {}
    for line in dataset.employees:
        first[line.regency] = min(line.recorded_at, first.get(line.regency, line.recorded_at))
    return {code: dataset.clocks.regency(code).date_of(at) for code, at in first.items()}


def last_known_date(dataset: Dataset) -> date:
    """Give the last local date on which anything becomes known: where a backfill ends by itself.

    A dataset that tells nothing with a time ends on 1 January 1970.
    """
    last = date(1970, 1, 1)
    for code, at in _latest(dataset).items():
        last = max(last, dataset.clocks.regency(code).date_of(at))
    return last


def _latest(dataset: Dataset) -> dict[str, int]:
    """Give the last instant at which something becomes known, by the regency it is known in."""
    latest: dict[str, int] = {}

    def known(code: str, at: int | None) -> None:
        if at is not None and at > latest.get(code, at - 1):
            latest[code] = at

    for line in dataset.employees:
        known(line.regency, line.recorded_at)
    for pin in dataset.pins:
        known(dataset.devices[pin.serial].regency, pin.recorded_at)
    for document in (*dataset.schedules, *dataset.rule_sets):
        for code, at in document.known.items():
            known(code, at)
    for decree in dataset.calendar:
        for code, at in decree.recorded_at.items():
            known(code, at)
    for outage in dataset.outages:
        known(outage.regency, outage.recorded_at)
    for heard in dataset.punches:
        if heard.known_at:
            known(dataset.devices[heard.log.serial].regency, heard.known_at[-1])
    for who, at in _personal(dataset):
        known(dataset.clocks.home(dataset.histories, who, at), at)
    return latest


def _personal(dataset: Dataset) -> list[tuple[str, int]]:
    """Give who has the last word of each kind, and when: facts that name no regency themselves."""
    told = [(shift.employee_id, shift.recorded_at) for shift in dataset.shifts]
    told += [(excuse.employee_id, excuse.recorded_at) for excuse in dataset.excuses]
    told += [(e.employee_id, e.revoked_at) for e in dataset.excuses if e.revoked_at is not None]
    told += [(check_in.employee_id, check_in.received_at) for check_in in dataset.check_ins]
    return told

