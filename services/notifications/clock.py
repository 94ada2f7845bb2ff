"""The clock as an argument: the sender's tests set it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Give the time, with its zone."""
    return datetime.now(UTC)
