"""Working days: how periods of the law are counted on a calendar of holidays."""

from dataclasses import dataclass
from datetime import date, timedelta

FIVE_DAYS = frozenset(range(5))  # Monday to Friday (Perpres 21/2023), by `date.weekday`.
SIX_DAYS = frozenset(range(6))  # A region or unit with Saturdays (Perpres 21/2023 Pasal 13).

DAY = timedelta(days=1)


@dataclass(frozen=True)
class WorkCalendar:
    """The working days of an office: one version of the yearly joint decree (SKB), and its week.

    `holidays` are national and local holidays and joint leave. The version is stored with every
    date that was counted on it: decrees are amended in mid-year, decided cases are not.
    Errors: ValueError for a week without a working day.
    """

    version: str
    holidays: frozenset[date]
    weekdays: frozenset[int]

    def __post_init__(self) -> None:
        """Refuse a week without a working day: no count would ever end."""
        if not self.weekdays & set(range(7)):
            raise ValueError(f"calendar {self.version!r} has a week without a working day")

    def works(self, day: date) -> bool:
        """Say whether a day is a working day."""
        return day.weekday() in self.weekdays and day not in self.holidays

    def nth_after(self, day: date, number: int) -> date:
        """Give the n-th working day after a day: the day after it counts first, if it is one.

        Errors: ValueError for a number below 1.
        Source: Peraturan BKN 6/2022 annex ex. 22 case 1 (recomputed).
        """
        if number < 1:
            raise ValueError(f"there is no working day number {number}")
        for _ in range(number):
            day += DAY
            while not self.works(day):
                day += DAY
        return day

    def between(self, first: date, last: date) -> int:
        """Count the clear working days: those strictly between two days, neither counted.

        Source: Peraturan BKN 6/2022 annex ex. 10 (recomputed).
        """
        inside = (first + n * DAY for n in range(1, (last - first).days))
        return sum(self.works(day) for day in inside)
