"""Where facts go, and the clock they are told with: what every door of the service needs."""

import time
from collections.abc import Sequence
from typing import Protocol

import asyncpg

from shared.errors import CannotRunError
from shared.events.envelope import Envelope

CLOCK_SECONDS = 1.0  # Facts are told with our clock; a wrong one would falsify the log (design 3).


class Publisher(Protocol):
    """Where facts go (`shared.runtime.broadcast.bulk.BulkPublisher`).

    Both give how many were new, and return when everything sent is acknowledged: so a keyed fact
    that stands before a broadcast is acknowledged before it leaves, and one behind it later.
    """

    async def broadcast(self, envelopes: Sequence[Envelope], /) -> int:
        """Send broadcasts to every partition."""

    async def publish(self, envelopes: Sequence[Envelope], /) -> int:
        """Send keyed facts."""


async def refuse_wrong_clock(url: str) -> None:
    """Compare our clock with the database's. Errors: CannotRunError, off by more than a second."""
    connection = await asyncpg.connect(url)
    try:
        theirs = await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
    finally:
        await connection.close()
    if abs(time.time() - theirs) > CLOCK_SECONDS:
        raise CannotRunError(
            f"this machine's clock is {abs(time.time() - theirs):.1f} s off the database's:"
            " set it right before anything is published"
        )
