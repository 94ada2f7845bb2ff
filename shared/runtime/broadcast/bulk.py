"""Publishing by a command: keyed facts in bulk past the outbox, broadcasts through it.

A backfill has millions of keyed facts, and a row for each would cost more than sending it. So they
go directly to the brokers, in chunks under the shared locks of their regencies, and keep their
order: none is sent before the committed broadcasts are on the log, and no broadcast of the command
is committed before they are acknowledged. Between two chunks no lock is held, so that waiting
writers get their turn.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from shared.events.envelope import Envelope, headers_of
from shared.runtime.broadcast import known_facts
from shared.runtime.broadcast.conflicts import content_of
from shared.runtime.broadcast.facts import Facts
from shared.runtime.broadcast.guard import TopicGuard
from shared.runtime.broadcast.locks import EVERYWHERE
from shared.runtime.broadcast.relay import facts_relay
from shared.runtime.broadcast.sent import Sent
from shared.runtime.broadcast.transaction import FactsTransaction
from shared.runtime.broadcast.waiting import PATIENCE_SECONDS, Waits, nobody_hears
from shared.runtime.failpoints import reach
from shared.runtime.kafka.producer import Producer, ProducerConfig

FACTS_AT_ONCE = 5_000  # Some tens of milliseconds of the brokers.
NAMED_AT_ONCE = 200  # Ids that people give are locked one by one, and a server has 6,400 locks.
BROADCASTS_AT_ONCE = 1_000
HELD_SECONDS = 1.0  # Longer no chunk keeps its locks, even if the brokers do not answer.
IDLE = "10s"  # A process that was stopped with its locks loses them: others do not wait for it.


Check = Callable[[FactsTransaction, Sequence[Envelope]], Awaitable[None]]


class BulkPublisher:
    """Publishes for one command, one call after another.

    `facts` writes what goes through the outbox, `sent` knows how far that is published.
    """

    def __init__(self, facts: Facts, sent: Sent, producer: Producer, waits: Waits) -> None:
        self.facts = facts
        self.sent = sent
        self._producer = producer
        self._waits = waits

    async def broadcast(self, envelopes: Sequence[Envelope], check: Check | None = None) -> int:
        """Write broadcasts to every partition in this order; give how many were new.

        Returns when all partitions have acknowledged them and all that was committed before.
        `check` may refuse them, under the lock of their regencies. Errors: those of `check`;
        ConflictingBroadcastError, TooLargeError: none of its 1,000 is written then; what ended the
        relay of this process; those of the database.
        """
        new = 0
        for some in _chunks(envelopes, BROADCASTS_AT_ONCE):
            await self.sent.everything()
            regencies = {each.regency for each in some}
            async with self.facts.transaction(exclusive=regencies, waits=self._waits) as tx:
                if check is not None:
                    await check(tx, some)
                new += await tx.broadcast(some)
            if tx.xid is not None:
                await self.sent.upto(tx.xid)
        return new

    async def publish(self, envelopes: Sequence[Envelope]) -> int:
        """Send keyed facts in this order, each id once; give how many were new.

        Returns when all are acknowledged. After a crash a fact may be sent twice: readers apply a
        keyed fact once by its id. Errors: ConflictingFactError, TooLargeError: none of its chunk
        is sent then; DeliveryFailedError; what ended the relay of this process; those of the
        database.
        """
        new = 0
        for some in _facts(envelopes):
            while (sent := await self._chunk(some)) is None:
                pass
            new += sent
        return new

    async def _chunk(self, envelopes: Sequence[Envelope]) -> int | None:
        """Send a chunk under the locks of its regencies; None: it is to be tried again."""
        regencies = {each.regency for each in envelopes}
        try:
            async with self.facts.transaction(shared=regencies, waits=self._waits) as tx:
                # From here on these regencies get no broadcast; the last one may be on its way.
                last = await known_facts.latest_broadcast(tx.connection, {*regencies, EVERYWHERE})
                if await self.sent.is_sent(last):
                    return await self._send(tx, envelopes)
        except _BrokersSlowError:
            await self._flushed_in_the_end()
        else:
            await self.sent.upto(last)
        return None

    async def _send(self, tx: FactsTransaction, envelopes: Sequence[Envelope]) -> int:
        fresh = await tx.unknown(envelopes)
        for each, value in fresh:
            headers = headers_of(each.type, each.id)
            self._producer.send(self.facts.topic, value, each.subject.encode(), None, headers)
        if fresh:
            try:
                await asyncio.wait_for(self._producer.flush(), HELD_SECONDS)
            except TimeoutError as error:
                raise _BrokersSlowError from error
            reach("bulk_before_note")
            # What a crash of the server takes with it is sent again, and dropped by its id.
            await tx.connection.execute("SET LOCAL synchronous_commit = off")
        return len(fresh)

    async def _flushed_in_the_end(self) -> None:
        """Wait for the brokers without a lock; the chunk is sent again, and readers drop it."""
        began = time.monotonic()
        flushing = asyncio.create_task(self._producer.flush())
        try:
            while not (await asyncio.wait([flushing], timeout=PATIENCE_SECONDS))[0]:
                seconds = time.monotonic() - began
                self._waits(f"waits {seconds:.0f} s for the brokers to acknowledge facts")
            await flushing
        finally:
            flushing.cancel()
            self._waits("")


class _BrokersSlowError(Exception):
    """What was sent is not acknowledged within the time for which locks are held."""


@asynccontextmanager
async def bulk_publisher(  # noqa: PLR0913  (servers, what for, and who hears of it)
    url: str,
    bootstrap: str,
    topic: str,
    command: str,
    *,
    waits: Waits = nobody_hears,
    settings: ProducerConfig | None = None,
) -> AsyncIterator[BulkPublisher]:
    """Give a command its publisher; its own relay is ready to lead, as those of the services are.

    `command`: the name that others see who wait for it. `waits` gets a sentence about what is
    waited for, from two seconds on, and "" at the end; `settings` are librdkafka's (tests).
    Errors: TopicAheadError, LogShrunkError; those of the database.
    """
    guard = TopicGuard(bootstrap, topic)
    named = {"application_name": command, "idle_in_transaction_session_timeout": IDLE}
    async with AsyncExitStack() as stack:
        pool = await asyncpg.create_pool(url, min_size=1, max_size=3, server_settings=named)
        stack.callback(pool.terminate)
        async with pool.acquire() as connection:
            await guard.check(connection)
        relay = facts_relay(url, bootstrap, command, topic, settings)
        leading = asyncio.create_task(relay.run())
        stack.push_async_callback(_ended, leading)
        sent = await stack.enter_async_context(Sent(url, waits, leading))
        producer = Producer(bootstrap, settings)
        stack.callback(producer.abandon)
        yield BulkPublisher(Facts(pool, topic), sent, producer, waits)
        async with pool.acquire() as connection:
            await guard.note(connection)  # Or the next one would look at all that was sent.


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


def _facts(envelopes: Sequence[Envelope]) -> Iterator[Sequence[Envelope]]:
    """Cut what is sent under one lock: by number, and by ids that are locked one by one."""
    begin = named = 0
    for at, envelope in enumerate(envelopes):
        named += content_of(envelope) is not None
        if at - begin >= FACTS_AT_ONCE or named > NAMED_AT_ONCE:
            yield envelopes[begin:at]
            begin, named = at, 0
    if begin < len(envelopes):
        yield envelopes[begin:]


def _chunks(envelopes: Sequence[Envelope], size: int) -> Iterator[Sequence[Envelope]]:
    for begin in range(0, len(envelopes), size):
        yield envelopes[begin : begin + size]
