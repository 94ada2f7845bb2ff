"""The job of delivering one notice, and how often and when it is tried. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.events.notifications import Channel, Role

# Longer pauses help a gateway that is down; eight tries span about a day.
TRIES = 8
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)

# After this time a try without a stored outcome counts as one of a sender that died.
LEASE = timedelta(minutes=2)

# An operator must first decide about the person's parked record.
WAIT_FOR_QUEUE = timedelta(minutes=1)

# The directory fills from another topic, usually within seconds.
WAIT_FOR_DIRECTORY = timedelta(seconds=0.5)
LONGEST_WAIT = timedelta(days=7)


@dataclass(frozen=True)
class Job:
    """A queued notice, as the sender finds it. `first_seen_at` is when it first looked at it."""

    employee_id: str
    notification_id: str
    recipient_id: str
    role: Role
    channel: Channel
    template: str
    details: dict[str, str]
    about_event_id: str
    regency: str
    tries: int
    first_seen_at: datetime


def pause_after(tries: int) -> timedelta:
    """Say how long to wait after a failed try: doubled each time. Shapes: `tries` from 1."""
    return min(FIRST_PAUSE * (1 << (tries - 1)), LONGEST_PAUSE)


def next_look(first_seen_at: datetime, now: datetime) -> datetime | None:
    """Say when to look again for a recipient that the directory does not know; None: never."""
    waited = now - first_seen_at
    if waited >= LONGEST_WAIT:
        return None
    return now + max(WAIT_FOR_DIRECTORY, min(waited, timedelta(hours=1)))


class Bucket:
    """A rate limit: `rate` messages a second, `burst` of them at once.

    Units: `now` is in seconds of a clock that only goes forward.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._left = float(burst)
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Take one if there is one."""
        if self._at is not None:
            self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
