"""When the workdays of a dataset's regencies are closed (semantics A1)."""

from datetime import date, timedelta

from services.attendance.dataset.dataset import Dataset
from shared.kernel.local_time import date_of

NEXT = timedelta(days=1)


def closing_at(dataset: Dataset, code: str, on: date) -> int:
    """Give the instant at which a workday of a regency is closed: 12:00 of the next day (A1)."""
    return dataset.clocks.regency(code).noon(on + NEXT)


def first_closings(dataset: Dataset) -> dict[str, date]:
    """Give the first closed date of each regency that has lines: when one was recorded (A1)."""
    first: dict[str, int] = {}
    for line in dataset.employees:
        first[line.regency] = min(line.recorded_at, first.get(line.regency, line.recorded_at))
    return {code: date_of(dataset.clocks.regency(code).day_of(at)) for code, at in first.items()}
