"""Local days of a regency.

Units: an instant is whole seconds since 1970 UTC, a day is `date.toordinal()`; both are plain
integers, because they are compared a million times a minute.
"""

from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.toordinal()
DAY_SECONDS = 86_400
BUCKET_SHIFT = 8 * 3_600  # Punches are kept by the date at UTC+8: nearly always their workday.


def instant_of(time: datetime) -> int:
    """Give the instant of a time with offset: what `timestamp()` gives, in a third of its time."""
    since = time - EPOCH
    return since.days * DAY_SECONDS + since.seconds


def bucket_of(instant: int) -> int:
    """Give the day under which a punch is kept, whatever workday it belongs to."""
    return (instant + BUCKET_SHIFT) // DAY_SECONDS + EPOCH_DAY


class Zone:
    """A time zone, with the midnights that were asked for kept at hand."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.info = ZoneInfo(name)
        self._midnights: dict[int, int] = {}
        offsets = {
            int(datetime(year, month, 1, tzinfo=self.info).timestamp())
            - int(datetime(year, month, 1, tzinfo=UTC).timestamp())
            for year in range(1990, 2060)
            for month in (1, 4, 7, 10)
        }
        # Indonesia's zones know no summer time: a constant, where others need a table.
        self._ahead = -offsets.pop() if len(offsets) == 1 else None

    def midnight(self, day: int) -> int:
        """Give the instant at which a local day begins."""
        if self._ahead is not None:
            return (day - EPOCH_DAY) * DAY_SECONDS - self._ahead
        found = self._midnights.get(day)
        if found is None:
            begin = date.fromordinal(day)
            local = datetime(begin.year, begin.month, begin.day, tzinfo=self.info)
            found = self._midnights[day] = int(local.timestamp())
        return found

    def day_of(self, instant: int) -> int:
        """Give the local day of an instant."""
        if self._ahead is not None:
            return (instant + self._ahead) // DAY_SECONDS + EPOCH_DAY
        day = instant // DAY_SECONDS + EPOCH_DAY
        if instant >= self.midnight(day + 1):
            return day + 1
        if instant < self.midnight(day):
            return day - 1
        return day


@cache
def zone_of(name: str) -> Zone:
    """Give the one zone of that name. Errors: ZoneInfoNotFoundError for an unknown name."""
    return Zone(name)


@cache
def year_of(day: int) -> int:
    """Give the calendar year of a day: counts begin anew with it (PP 94/2021, Pasal 15(1))."""
    return date.fromordinal(day).year


@cache
def date_of(day: int) -> date:
    """Give the date of a day."""
    return date.fromordinal(day)
