"""The broadcaster: the one writer of a topic's broadcasts, and of the keyed facts beside them.

Writing to all partitions is not atomic. So a broadcast gets its number, id and bytes in a table
first, is sent then, and marked when every partition has acknowledged it; whatever is unmarked at a
start is sent again, in the same order with the same bytes (design 2).
"""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Self

import asyncpg
import structlog
from msgspec.structs import replace

from shared.events.envelope import Envelope, canonical, headers_of
from shared.runtime.broadcast import sent_table, topic_scan
from shared.runtime.broadcast.conflicts import content_of, difference
from shared.runtime.broadcast.sent_table import Broadcast
from shared.runtime.failpoints import reach, switched_on
from shared.runtime.kafka.producer import Producer, ProducerConfig
from shared.runtime.kafka.topics import PARTITIONS, RECORD_BYTES
from shared.runtime.observability import correlation

TOGETHER = 1_000  # Broadcasts numbered and sent as one batch per partition.
FACTS = 5_000  # Keyed facts looked up and sent before their answers are awaited.
LOCK_SECONDS = 0.25
DIED_HERE = "broadcaster_after_partition"

log = structlog.get_logger()


class TopicAhead(Exception):  # noqa: N818  (what is wrong)
    """The topic holds a broadcast that the table does not know: numbers would be given twice."""


class ConflictingBroadcast(Exception):  # noqa: N818  (what it is)
    """A broadcast's id is known with other data; the message names both, and nothing was sent."""


class ConflictingFact(Exception):  # noqa: N818  (what it is)
    """A fact's id is known with other clear content; the message names both."""


class TooLarge(ValueError):  # noqa: N818  (what it is)
    """What was to be said fits into no record; nothing of the call was sent."""


class Broadcaster:
    """Sends while it is entered; one in a database at a time, others wait at their entry.

    Its methods may be called by several tasks, and are taken one after the other. After an error
    other than a Conflicting… one and TooLarge it is of no more use: leave it, enter another one.
    """

    def __init__(
        self, database_url: str, bootstrap: str, topic: str, settings: ProducerConfig | None = None
    ) -> None:
        self.database_url = database_url
        self.bootstrap = bootstrap
        self.topic = topic
        self._settings = settings or {}
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Wait for the lock, check the topic against the table, send what is not acknowledged.

        Errors: TopicAhead, logends.LogShrunk; and those of the database and the brokers.
        """
        self._connection = await asyncpg.connect(self.database_url, timeout=30)
        try:
            await sent_table.prepare(self._connection)
            await _locked(self._connection)
            await self._refuse_topic_ahead()
            self._producer = Producer(self.bootstrap, self._settings)
            await self._send_unacknowledged()
        except BaseException:
            self._connection.terminate()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Let the lock go; after a clean end, note how far the log is known."""
        self._producer.abandon()
        try:
            if kind is None:
                ends = await asyncio.to_thread(topic_scan.ends_of, self.bootstrap, self.topic)
                await sent_table.note_looked_for(self._connection, ends)
        finally:
            self._connection.terminate()

    async def broadcast(self, envelopes: Sequence[Envelope]) -> int:
        """Write broadcasts to every partition in this order; give how many were new.

        Returns when all partitions have acknowledged all of them. A known id with equal data
        keeps its number and is not sent again.
        Errors: ConflictingBroadcast for a known id with other data, TooLarge: none is sent then;
        producing.DeliveryFailed and those of the database.
        """
        async with self._turn:
            fresh = await self._unknown(envelopes)
            last = await sent_table.last_number(self._connection)
            numbered = enumerate(fresh, start=last + 1)
            while some := [_numbered(each, n) for n, each in islice(numbered, TOGETHER)]:
                await sent_table.number(self._connection, some)
                await self._send(some)
            return len(fresh)

    async def publish(self, envelopes: Sequence[Envelope]) -> int:
        """Send keyed facts in this order, each id once; give how many were new.

        Returns when all are acknowledged. Between a crash and its start again a fact may be sent
        twice: readers apply a keyed fact once by its id.
        Errors: ConflictingFact, TooLarge: none of its 5,000 is sent then;
        producing.DeliveryFailed and those of the database.
        """
        async with self._turn:
            new = 0
            for some in _chunks(envelopes, FACTS):
                new += await self._publish(some)
            return new

    async def _publish(self, envelopes: Sequence[Envelope]) -> int:
        there = await sent_table.facts_among(self._connection, [each.id for each in envelopes])
        fresh: dict[str, tuple[bytes, Envelope]] = {}
        contents: dict[str, bytes | None] = {}
        for envelope in envelopes:
            id_ = envelope.id
            if id_ in there or id_ in contents:
                _refuse_other(envelope, there[id_] if id_ in there else contents[id_])
            else:
                fresh[id_] = _written(envelope), envelope
                contents[id_] = content_of(envelope)
        for value, each in fresh.values():
            key = each.subject.encode()
            self._producer.send(self.topic, value, key, None, headers_of(each.type, each.id))
        if fresh:
            await self._producer.flush()
            await sent_table.note_facts(self._connection, contents)
        return len(fresh)

    async def _unknown(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        """Give those with new ids, each once. Errors: ConflictingBroadcast, TooLarge."""
        known = await sent_table.known(self._connection, list({each.id for each in envelopes}))
        fresh: dict[str, Envelope] = {}
        for each in envelopes:
            if (old := known.get(each.id)) is not None:
                said, again = old.value, canonical(replace(each, broadcastseq=old.number))
                name = f"broadcast {old.number}"
            else:
                said = canonical(fresh.setdefault(each.id, each))
                again, name = _written(each), "another one beside it"
            if said != again:
                log.error("broadcast_conflicts", topic=self.topic, **correlation.ids_of(again))
                raise ConflictingBroadcast(difference(each.id, name, said, again))
        return list(fresh.values())

    async def _send(self, broadcasts: Sequence[Broadcast]) -> None:
        """Send numbered broadcasts to every partition, and mark them."""
        records = [(each.value, headers_of(each.type, each.id)) for each in broadcasts]
        for partition in range(PARTITIONS):
            for value, headers in records:
                self._producer.send(self.topic, value, None, partition, headers)
            if switched_on(DIED_HERE):
                await self._producer.flush()  # Else a fault test could not say what it killed.
            reach(DIED_HERE)
        await self._producer.flush()
        await sent_table.acknowledge(self._connection, broadcasts[-1].number)

    async def _send_unacknowledged(self) -> None:
        while broadcasts := await sent_table.unacknowledged(self._connection, TOGETHER):
            log.info("broadcasts_sent_again", topic=self.topic, broadcasts=len(broadcasts))
            await self._send(broadcasts)

    async def _refuse_topic_ahead(self) -> None:
        last = await sent_table.last_number(self._connection)
        begins = await sent_table.looked_for(self._connection)
        highest, ends = await asyncio.to_thread(
            topic_scan.highest_broadcast, self.bootstrap, self.topic, begins, last
        )
        if highest > last:
            message = (
                f"{self.topic} holds broadcast {highest}, the table ends with {last}: this is not"
                " the database that wrote the topic, or an older state of it"
            )
            raise TopicAhead(message)
        await sent_table.note_looked_for(self._connection, ends)


async def _locked(connection: asyncpg.Connection) -> None:
    """Wait until no other broadcaster of this database holds the lock."""
    # Asked again and again: a statement that waits would hold the oldest snapshot back.
    while True:
        if await connection.fetchval(
            "SELECT pg_try_advisory_lock(hashtext('tertib.broadcaster'))"
        ):
            return
        await asyncio.sleep(LOCK_SECONDS)


def _refuse_other(envelope: Envelope, known: bytes | None) -> None:
    """Hold a fact against what was kept of the one sent before. Errors: ConflictingFact."""
    if known is not None and (again := content_of(envelope)) is not None and again != known:
        log.error("fact_conflicts", **correlation.ids_of(canonical(envelope)))
        raise ConflictingFact(difference(envelope.id, "a fact sent before", known, again))


def _written(envelope: Envelope) -> bytes:
    """Give the bytes of an envelope. Errors: TooLarge; a number may still come to it."""
    value = canonical(envelope)
    if len(value) > RECORD_BYTES:
        message = (
            f"{envelope.type} {envelope.id} has {len(value)} bytes: {RECORD_BYTES} may be sent"
        )
        raise TooLarge(message)
    return value


def _numbered(envelope: Envelope, number: int) -> Broadcast:
    value = canonical(replace(envelope, broadcastseq=number))
    return Broadcast(number, envelope.id, envelope.type, value)


def _chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]
