"""What a service has published, as a rebuild compares with it: awaited, then read."""

import asyncio
import time
from collections.abc import Iterable, Iterator

import asyncpg
from confluent_kafka import KafkaError, KafkaException

from shared.runtime.comparing import Comparison, Differences
from shared.runtime.errors import CannotRun
from shared.runtime.holding import Place
from shared.runtime.reading import Reading, Record

RELAY_SECONDS = 60.0  # To publish what was concluded just now; a relay that runs takes one.
PAUSE = 0.05
NO_TOPIC = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001  (its name)
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001  (its name)
)

_UNSENT = """
SELECT EXISTS (
    SELECT FROM tertib.events e, tertib.relay_cursor c WHERE (e.xid, e.id) > (c.xid, c.id))
"""


async def complete(pool: asyncpg.Pool, seconds: float = RELAY_SECONDS) -> bool:
    """Wait until everything that was concluded is published: there is something to compare.

    Errors: CannotRun if that takes too long; False if a shorter time was given.
    """
    if not await pool.fetchval("SELECT EXISTS (SELECT FROM tertib.events)"):
        return True
    until = time.monotonic() + seconds
    while not await _relay_has_begun(pool) or await pool.fetchval(_UNSENT):
        if time.monotonic() > until:
            if seconds < RELAY_SECONDS:
                return False
            message = "what was concluded is not published: start the service first"
            raise CannotRun(message)
        await asyncio.sleep(PAUSE)
    return True


async def hold(
    bootstrap: str, places: Iterable[Place], comparison: Comparison, differences: Differences
) -> None:
    """Hold what was concluded against everything that was published on some partitions."""
    for place in places:
        await asyncio.to_thread(_hold, bootstrap, place, comparison, differences)


def _hold(bootstrap: str, place: Place, comparison: Comparison, differences: Differences) -> None:
    comparison.hold(records_of(bootstrap, place), differences)


def records_of(bootstrap: str, place: Place) -> Iterator[Record]:
    """Give all that is on a partition; nothing if there is no such topic. Blocks: use a thread."""
    reading = Reading(bootstrap, place)
    try:
        yield from reading.all(*reading.ends())
    except KafkaException as error:
        if error.args[0].code() not in NO_TOPIC:  # Nothing of it was ever published.
            raise
    finally:
        reading.close()


async def _relay_has_begun(pool: asyncpg.Pool) -> bool:
    there = await pool.fetchval("SELECT to_regclass('tertib.relay_cursor') IS NOT NULL")
    return bool(there)
