"""When not to write to people. Pure: the time is an argument."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

# A notice at night frightens people and helps none; the inbox disturbs nobody, so it has no hours.
OPENS = time(7)
CLOSES = time(20)


def send_after(now: datetime, timezone: str) -> datetime:
    """Give the earliest moment from `now` on at which the recipient may be written to.

    From 07:00:00 until before 20:00:00, by the clock of the recipient's regency.
    Shapes: `now` and the result carry a zone. Errors: zoneinfo.ZoneInfoNotFoundError.
    """
    local = now.astimezone(ZoneInfo(timezone))
    if OPENS <= local.time() < CLOSES:
        return now
    day = local.date() if local.time() < OPENS else local.date() + timedelta(days=1)
    return datetime.combine(day, OPENS, tzinfo=local.tzinfo)
