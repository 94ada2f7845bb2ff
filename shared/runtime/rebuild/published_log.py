"""What a service has published, as a rebuild compares with it: awaited, then read."""

import asyncio
import hashlib
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

import asyncpg

from shared.errors import CannotRunError
from shared.runtime.kafka.log_ends import NoSuchTopicError
from shared.runtime.kafka.partition_reader import PartitionReader
from shared.runtime.kafka.records import Record, head_of
from shared.runtime.outbox import outbox_table
from shared.runtime.positions import TopicPartition

RELAY_SECONDS = 60.0  # To publish what was concluded just now; a relay that runs takes one.
PAUSE = 0.05


async def wait_until_published(pool: asyncpg.Pool, seconds: float = RELAY_SECONDS) -> bool:
    """Wait until everything that was concluded is published: there is something to compare.

    Errors: CannotRunError if that takes too long; False if a shorter time was given.
    """
    if not await pool.fetchval("SELECT EXISTS (SELECT FROM tertib.events)"):
        return True
    until = time.monotonic() + seconds
    while not await _relay_has_begun(pool) or await _is_behind(pool):
        if time.monotonic() > until:
            if seconds < RELAY_SECONDS:
                return False
            message = "what was concluded is not published: start the service first"
            raise CannotRunError(message)
        await asyncio.sleep(PAUSE)
    return True


@dataclass
class Published:
    """What a partition of a service's own topics holds, as digests: the size does not matter.

    `last`: the last number of each subject, if it was asked for.
    """

    digests: set[bytes] = field(default_factory=set)
    last: dict[str, int] = field(default_factory=dict)


def digest_of(value: bytes) -> bytes:
    """Give what stands for an event while it waits to be compared."""
    return hashlib.sha256(value).digest()[:16]


def published_of(
    reading: PartitionReader, number: int, compared: Iterable[str], numbered: Collection[str] = ()
) -> Published:
    """Read what was published of a partition; repetitions are one. Blocks: use a thread.

    `compared` are topics of which digests are wanted; of those `numbered` the last numbers, which
    costs as much again.
    """
    found, wanted = Published(), frozenset(compared)
    for topic in sorted(wanted.union(numbered)):
        for value in values_of(reading, (topic, number)):
            if topic in wanted:
                found.digests.add(digest_of(value))
            if topic in numbered:
                head = head_of(value)
                if head.subjectseq > found.last.get(head.subject, 0):
                    found.last[head.subject] = head.subjectseq
    return found


def records_of(reading: PartitionReader, place: TopicPartition) -> Iterator[Record]:
    """Give all that is on a partition; nothing if there is no such topic. Blocks: use a thread."""
    yield from reading.all(place, *ends_of(reading, place))


def values_of(reading: PartitionReader, place: TopicPartition) -> Iterator[bytes]:
    """Give the values of all that is on a partition, as `records_of` gives records."""
    yield from reading.values(place, *ends_of(reading, place))


def ends_of(reading: PartitionReader, place: TopicPartition) -> tuple[int, int]:
    """Give the first offset and the one after the last; no such topic: nothing. Blocks."""
    try:
        return reading.ends(place)
    except NoSuchTopicError:
        return 0, 0  # Nothing of it was ever published.


async def _relay_has_begun(pool: asyncpg.Pool) -> bool:
    there = await pool.fetchval("SELECT to_regclass('tertib.relay_cursor') IS NOT NULL")
    return bool(there)


async def _is_behind(pool: asyncpg.Pool) -> bool:
    async with pool.acquire() as connection:
        return await outbox_table.first_unsent(connection) is not None
