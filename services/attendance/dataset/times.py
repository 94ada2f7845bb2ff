"""Dates and times as people write them in a dataset (semantics A4)."""

import re
from datetime import date
from typing import NamedTuple

from shared.kernel.local_time import DAY, EPOCH_DAY, LocalClock

# Before 1900 and at the end of the calendar not every zone has a date for an instant.
FIRST_YEAR, LAST_YEAR = 1900, 9998
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:[.,]\d+)?)?"
    r"(?:(Z)|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)?)?",
    re.ASCII,
)


class Written(NamedTuple):
    """A time as written: on the clock of its zone, unless it has an offset.

    Units: seconds on the local clock since 1970-01-01T00:00:00; seconds ahead of UTC. `text` is
    the cell as given.
    """

    local: int
    offset: int | None
    text: str

    @property
    def on(self) -> date:
        """Give the date as written."""
        return date.fromordinal(self.local // DAY + EPOCH_DAY)

    def instant(self, clock: LocalClock) -> int:
        """Give the instant; the clock is asked only where no offset is written."""
        if self.offset is None:
            return clock.instant(self.local)
        return self.local - self.offset


def read_date(text: str) -> date:
    """Read `YYYY-MM-DD`. Errors: ValueError for anything else, a date-time included."""
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def read_moment(text: str, *, end: bool = False) -> Written:
    """Read a date or date-time; a date alone begins its day, or with `end` is its last second.

    Fractions of seconds are cut. Errors: ValueError if it is neither.
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError(text)
    on, hour, minute, second, zulu, sign, hours, minutes = match.groups()
    day = date.fromisoformat(on)
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(text)
    midnight = (day.toordinal() - EPOCH_DAY) * DAY
    if hour is None:
        return Written(midnight + (DAY - 1 if end else 0), None, text)
    local = midnight + _seconds(hour, minute, second or "0")
    if zulu:
        return Written(local, 0, text)
    if sign:
        ahead = _seconds(hours, minutes or "0", "0")
        return Written(local, -ahead if sign == "-" else ahead, text)
    return Written(local, None, text)


def read_end(text: str) -> Written:
    """Read the end of a span: a date alone is its last second. Errors: as `read_moment`."""
    return read_moment(text, end=True)


def _seconds(hour: str, minute: str, second: str) -> int:
    return int(hour) * 3600 + int(minute) * 60 + int(second)
