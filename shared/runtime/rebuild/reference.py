"""What a rebuild is compared with: the live tables, or after a loss the topics alone."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import asyncpg

from shared.runtime.kafka.headers import headers_in
from shared.runtime.kafka.partition_reader import PartitionReader
from shared.runtime.kafka.topics import parked_of
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.dead_letters import dead_letter_events
from shared.runtime.processing.write_batch import Parked
from shared.runtime.rebuild import live_position, parked_log, unsaid_events
from shared.runtime.rebuild.parked_log import Coordinates
from shared.runtime.rebuild.published_log import (
    Published,
    published_of,
    records_of,
    wait_until_published,
)
from shared.runtime.rebuild.replay import Replay
from shared.runtime.storage.store import PostgresStore

_COLUMNS = (
    'subject, topic, partition, "offset", value, headers, broadcast, reference, reason, error'
)


class Position(NamedTuple):
    """Up to where a partition is folded, what stands published, and each subject's last number."""

    ends: Mapping[TopicPartition, int]
    published: Published
    last: Mapping[str, int]


class Reference(Protocol):
    """Says of a partition how far it is to be folded, and how its queues ended. Can be pickled."""

    async def position(self, pool: asyncpg.Pool, folding: Replay, number: int) -> Position:
        """Give up to where a partition is folded and compared. Errors: CannotRunError."""

    async def settle(self, folding: Replay, number: int) -> None:
        """Discard and retry what was discarded and retried: the queues end alike."""


@dataclass(frozen=True)
class LiveTables:
    """The table set of a running service: everything up to its cursors was concluded."""

    schema: str

    async def position(self, pool: asyncpg.Pool, folding: Replay, number: int) -> Position:
        """Give where the live tables stand now. Errors: CannotRunError."""
        ends, last = await live_position.position_of(pool, self.schema, number)
        await wait_until_published(pool)  # Also what was told: it is folded as given.
        published = await asyncio.to_thread(
            published_of, folding.reading, number, folding.derived_on
        )
        return Position(ends, published, last)

    async def settle(self, folding: Replay, number: int) -> None:
        """End the queues of a partition as they ended in the live tables."""
        await folding.settle_parked(self.schema, number)


@dataclass(frozen=True)
class TopicsAlone:
    """What is left after a database was lost, or stands behind: the log, and what was said."""

    async def position(self, pool: asyncpg.Pool, folding: Replay, number: int) -> Position:
        """Give the ends of the log: what was said may come from its last record."""
        del pool
        return await asyncio.to_thread(_ends_of_the_log, folding, number)

    async def settle(self, folding: Replay, number: int) -> None:
        """End the queues of a partition as the parked topic tells that they ended."""
        place = parked_of(folding.store.projection.name), number
        queues = await asyncio.to_thread(_queues, folding.reading, place)
        await folding.settle_as_told(queues, number)
        store, told = folding.store, set[Coordinates]().union(*(q.parked for q in queues.values()))
        untold = [each for each in await _waiting(store, number) if each[1:4] not in told]
        letters = dead_letter_events(store.projection.name, untold)
        await unsaid_events.keep(store.pool, store.schema, letters)


def _ends_of_the_log(folding: Replay, number: int) -> Position:
    published = published_of(folding.reading, number, folding.derived_on, folding.spoken_on)
    places = [(topic, number) for topic in folding.topics]
    ends = {place: folding.reading.ends(place)[1] for place in places}
    return Position(ends, published, published.last)


async def _waiting(store: PostgresStore, number: int) -> list[Parked]:
    """Give the rows that wait in the queues of a partition; of broadcasts nothing is told."""
    rows = await store.pool.fetch(
        f"SELECT {_COLUMNS} FROM {store.schema}.parked"  # noqa: S608  (our own names)
        " WHERE state = 'waiting' AND reference IS NULL AND partition = $1 ORDER BY id",
        number,
    )
    return [Parked._make([*row[:5], headers_in(row[5]), *row[6:]]) for row in map(tuple, rows)]


def _queues(reading: PartitionReader, place: TopicPartition) -> Mapping[str, parked_log.Queue]:
    return parked_log.queues_of(records_of(reading, place))
