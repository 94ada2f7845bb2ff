"""Local times and days of a zone, and the instants they stand for (semantics A3).

Units: an instant is whole seconds since 1970 UTC; a local time is whole seconds since
1970-01-01T00:00:00 on the local clock; a day is `date.toordinal()`. All are plain integers: a
dataset holds millions of them, and a fold compares them a million times a minute.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

DAY = 86_400
NEVER = 2**31  # A day that does not come: the end of what has none.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL_EPOCH = _EPOCH.replace(tzinfo=None)  # A local clock has no zone.
EPOCH_DAY = _EPOCH.toordinal()
# Beyond these an instant has no date in every zone; a zone goes on as it is at the nearer one.
_FIRST, _LAST = ((date(y, 1, 1).toordinal() - EPOCH_DAY) * DAY for y in (2, 9999))


class LocalClock:
    """The clock of a zone; the offsets of whole days are cached."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.zone = ZoneInfo(name)
        self._by_local_day: dict[int, int | None] = {}
        self._by_day: dict[int, int | None] = {}

    def instant(self, local: int) -> int:
        """Give the instant of a local time; of a time that comes twice the first is meant."""
        day = local // DAY
        try:
            offset = self._by_local_day[day]
        except KeyError:
            offset = self._by_local_day[day] = _steady(day, self._offset_of_local)
        if offset is None:
            offset = self._offset_of_local(local)
        return local - offset

    def midnight(self, day: int) -> int:
        """Give the instant at which a local day begins."""
        return self.instant((day - EPOCH_DAY) * DAY)

    def noon(self, on: date) -> int:
        """Give the instant of 12:00 local time."""
        return self.instant((on.toordinal() - EPOCH_DAY) * DAY + DAY // 2)

    def offset(self, instant: int) -> int:
        """Give the seconds by which the local clock is ahead of UTC."""
        day = instant // DAY
        try:
            offset = self._by_day[day]
        except KeyError:
            offset = self._by_day[day] = _steady(day, self._offset_at)
        return self._offset_at(instant) if offset is None else offset

    def local(self, instant: int) -> int:
        """Give the local time of an instant."""
        return instant + self.offset(instant)

    def day_of(self, instant: int) -> int:
        """Give the local day of an instant."""
        return (instant + self.offset(instant)) // DAY + EPOCH_DAY

    def aware(self, instant: int) -> datetime:
        """Give the instant as a time with the local offset.

        An offset that is not whole minutes, as before 1924, is told in UTC.
        """
        return datetime.fromtimestamp(instant, _fixed(self.offset(instant)))

    def iso(self, instant: int) -> str:
        """Give the instant in ISO 8601 with the local offset, whole seconds; as `aware`."""
        offset = self.offset(instant)
        if offset % 60:
            offset = 0
        day, second = divmod(instant + offset, DAY)
        return f"{_iso_date(day)}T{_iso_second(second)}{_iso_offset(offset)}"

    def _offset_of_local(self, local: int) -> int:
        moment = _LOCAL_EPOCH + timedelta(seconds=min(max(local, _FIRST), _LAST))
        return _seconds(moment.replace(tzinfo=self.zone))

    def _offset_at(self, instant: int) -> int:
        moment = _EPOCH + timedelta(seconds=min(max(instant, _FIRST), _LAST))
        return _seconds(moment.astimezone(self.zone))


@cache
def clock_of(name: str) -> LocalClock:
    """Give the one clock of a zone. Errors: ValueError, KeyError or OSError for a name of none."""
    return LocalClock(name)


def instant_of(time: datetime) -> int:
    """Give the instant of a time with offset: what `timestamp()` gives, in a third of its time."""
    since = time - _EPOCH
    return since.days * DAY + since.seconds


def local_text(local: int) -> str:
    """Give a local time in ISO 8601, without an offset."""
    day, second = divmod(local, DAY)
    return f"{_iso_date(day)}T{_iso_second(second)}"


@cache
def date_of(day: int) -> date:
    """Give the date of a day."""
    return date.fromordinal(day)


@cache
def year_of(day: int) -> int:
    """Give the calendar year of a day."""
    return date.fromordinal(day).year


def weekday_of(day: int) -> int:
    """Give the weekday of a day, Monday being 0 (as `date.weekday`)."""
    return (day - 1) % 7


def _steady(day: int, offset_of: Callable[[int], int]) -> int | None:
    """Give the offset of a whole day; None where it changes within."""
    first, last = offset_of(day * DAY), offset_of(day * DAY + DAY - 1)
    return first if first == last else None


def _seconds(moment: datetime) -> int:
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("a time without a zone")
    return int(offset.total_seconds())


@cache
def _fixed(offset: int) -> timezone:
    return timezone(timedelta(seconds=0 if offset % 60 else offset))


@cache
def _iso_date(day: int) -> str:
    return date.fromordinal(day + EPOCH_DAY).isoformat()


@cache
def _iso_second(second: int) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


@cache
def _iso_offset(offset: int) -> str:
    sign, minutes = "-" if offset < 0 else "+", abs(offset) // 60
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"
