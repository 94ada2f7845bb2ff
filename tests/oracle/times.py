"""Dates and times as a dataset writes them (semantics A4)."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
END_OF_DAY = time(23, 59, 59)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
MOMENT = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?P<clock>\d{2}:\d{2}(?::\d{2})?)(?:[.,]\d+)?(?P<offset>Z|[+-]\d{2}:?\d{2})?)?"
)
OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
CLOCK = re.compile(r"(\d{2}):(\d{2})")


class Moment(NamedTuple):
    """A time as written: `wall` has no zone; `offset` is None where none was written."""

    wall: datetime
    offset: timezone | None

    def at(self, zone: ZoneInfo) -> datetime:
        """Give the instant in UTC; `zone` counts only where no offset was written."""
        return self.wall.replace(tzinfo=self.offset or zone).astimezone(UTC)


def read_date(text: str) -> date:
    """Read `YYYY-MM-DD`. Errors: ValueError, also for a date-time (A17)."""
    if not DAY.fullmatch(text):
        msg = f"not a date: {text!r}"
        raise ValueError(msg)
    return date.fromisoformat(text)


def read_moment(text: str, *, end: bool = False) -> Moment:
    """Read a date or date-time; a date alone is its first second, or its last where `end` is true.

    Errors: ValueError. Source: A4; fractions of seconds are cut by A17.
    """
    found = MOMENT.fullmatch(text)
    if found is None:
        msg = f"not a time: {text!r}"
        raise ValueError(msg)
    day = date.fromisoformat(found["day"])
    if found["clock"] is None:
        return Moment(datetime.combine(day, END_OF_DAY if end else time()), None)
    return Moment(
        datetime.combine(day, time.fromisoformat(found["clock"])), read_offset(found["offset"])
    )


def read_offset(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text == "Z":
        return UTC
    found = OFFSET.fullmatch(text)
    if found is None:
        msg = f"not an offset: {text!r}"
        raise ValueError(msg)
    size = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(size if found[1] == "+" else -size)


def read_clock(text: str) -> timedelta:
    """Read `HH:MM`, hours 24 and more too, as time since midnight. Errors: ValueError."""
    found = CLOCK.fullmatch(text)
    if found is None or int(found[2]) > 59:
        msg = f"not a time of day: {text!r}"
        raise ValueError(msg)
    return timedelta(hours=int(found[1]), minutes=int(found[2]))


def at_local(day: date, clock: timedelta, zone: ZoneInfo) -> datetime:
    """Give the instant, in UTC, of a time of day that may lie past midnight."""
    return (datetime.combine(day, time()) + clock).replace(tzinfo=zone).astimezone(UTC)


def noon_after(day: date, zone: ZoneInfo) -> datetime:
    """Say when a workday is closed: 12:00 local time of the next day (A1)."""
    return at_local(day, timedelta(hours=36), zone)
