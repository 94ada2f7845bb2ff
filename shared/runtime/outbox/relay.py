"""The relay: publishes what a service has said, in the order of its commits.

One at a time per service, by a session's advisory lock. The cursor moves only over what is
acknowledged, so a crash repeats and never skips; readers drop repetitions by `subjectseq`.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import structlog
from prometheus_client import Counter, Gauge

from shared.events.envelope import headers_of
from shared.runtime.failpoints import reach
from shared.runtime.kafka.headers import headers_in
from shared.runtime.kafka.producer import DeliveryFailed, Producer, ProducerConfig
from shared.runtime.outbox import outbox_table
from shared.runtime.outbox.outbox_table import OutboxPosition

PAGE = 5_000
WINDOW = 50_000  # Rows sent before their answers are awaited: some tens of megabytes.
SLICE = 250  # A millisecond of the event loop, which others need as well.
POLL_SECONDS = 0.25  # What a lost wake-up costs.
LOCK_SECONDS = 0.5
ROOM_SECONDS = 86_400.0
BACK_OFF_SECONDS = 0.2, 5.0
AWAY = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)

PUBLISHED = Counter("tertib_relay_published", "Events acknowledged by the brokers", ["service"])
FAILURES = Counter("tertib_relay_failures", "Producers thrown away after a refusal", ["service"])
ACTIVE = Gauge("tertib_relay_active", "Whether this process's relay holds the lock", ["service"])

log = structlog.get_logger()


@dataclass
class RelayStatus:
    """What a relay says of itself. `active`: it holds the lock; `unsent`: it has work it knows of.

    Since its start: `published` counts acknowledged rows, `looks` how often it asked for rows,
    `failures` the producers thrown away.
    """

    published: int = 0
    looks: int = 0
    failures: int = 0
    active: bool = False
    unsent: bool = False


class Relay:
    """Publishes one service's outbox. `settings` are librdkafka's and go before ours."""

    def __init__(
        self,
        database_url: str,
        bootstrap: str,
        service: str,
        settings: ProducerConfig | None = None,
    ) -> None:
        self.database_url = database_url
        self.bootstrap = bootstrap
        self.service = service
        self.settings = settings or {}
        self.status = RelayStatus()
        self._limit = PAGE
        self._delay = 0.0
        self._woken = asyncio.Event()
        self._asking = asyncio.Lock()
        self._asker: asyncpg.Connection | None = None
        self._seen: tuple[OutboxPosition, float] | None = None

    async def run(self) -> None:
        """Publish until cancelled; wait out lost databases and failed deliveries.

        Errors: outbox.Restored if the rows come from another cluster: nothing was published.
        """
        try:
            while True:
                try:
                    await self._hold()
                except AWAY as error:
                    log.warning("relay_lost_database", service=self.service, error=str(error))
                self._activate(active=False)
                await self._back_off()
        finally:
            self._activate(active=False)
            if self._asker is not None:
                self._asker.terminate()

    async def drained(self) -> bool:
        """Say whether every committed event is acknowledged. Errors: those of the database."""
        return await self._first_unsent() is None

    async def oldest_unsent_seconds(self) -> float | None:
        """Say for how long the oldest event has been seen unpublished; None: all are.

        Measured from when it was first asked for: rows carry no time, and a wall clock may jump.
        Errors: those of the database.
        """
        place = await self._first_unsent()
        if place is None:
            self._seen = None
            return None
        if self._seen is None or self._seen[0] != place:
            self._seen = place, time.monotonic()
        return time.monotonic() - self._seen[1]

    def _activate(self, *, active: bool) -> None:
        self.status.active = active
        ACTIVE.labels(self.service).set(active)

    # One connection: the lock ends with it, and nothing is marked without it.

    async def _hold(self) -> None:
        connection = await asyncpg.connect(self.database_url, timeout=30, command_timeout=60)
        try:
            await outbox_table.prepare(connection)
            await _locked(connection)
            await outbox_table.refuse_restored(connection)
            await connection.add_listener(outbox_table.CHANNEL, lambda *_: self._woken.set())
            self._activate(active=True)
            log.info("relay_started", service=self.service)
            await self._with_producers(connection)
        finally:
            connection.terminate()

    async def _with_producers(self, connection: asyncpg.Connection) -> None:
        """Publish with one producer after another, each until a delivery fails."""
        while True:
            producer = Producer(self.bootstrap, self.settings)
            try:
                await self._publish(connection, producer)
            except DeliveryFailed as failure:
                self.status.failures += 1
                FAILURES.labels(self.service).inc()
                self._limit = max(1, self._limit // 8)  # Come close to the row that is refused.
                log.warning(
                    "relay_delivery_failed",
                    service=self.service,
                    error=str(failure),
                    **failure.record,
                )
            finally:
                producer.abandon()
            await self._back_off()

    async def _publish(self, connection: asyncpg.Connection, producer: Producer) -> None:
        """Publish from the acknowledged prefix on."""
        place = await outbox_table.cursor(connection)
        room_until = time.monotonic() + ROOM_SECONDS
        while True:
            self._woken.clear()
            place = await self._drain(connection, producer, place)
            self.status.looks += 1
            if time.monotonic() > room_until:
                await outbox_table.prepare(connection)
                room_until = time.monotonic() + ROOM_SECONDS
            await self._wait()

    async def _drain(
        self, connection: asyncpg.Connection, producer: Producer, place: OutboxPosition
    ) -> OutboxPosition:
        """Publish what there is; read the next page while this one is sent."""
        waiting = 0
        rows = await outbox_table.page(connection, place, self._limit)
        while rows:
            self.status.unsent = True
            place = OutboxPosition(rows[-1][0], rows[-1][1])
            following = asyncio.create_task(outbox_table.page(connection, place, self._limit))
            try:
                await _send(producer, rows)
                waiting += len(rows)
                reach("relay_after_send")
                rows = await following
            finally:
                following.cancel()
            if not rows or waiting >= WINDOW or self._limit < PAGE:
                await producer.flush()
                reach("relay_before_mark")
                await outbox_table.mark(connection, place)
                self._marked(waiting)
                waiting = 0
        self.status.unsent = False
        return place

    def _marked(self, rows: int) -> None:
        self.status.published += rows
        PUBLISHED.labels(self.service).inc(rows)
        self._limit = min(PAGE, self._limit * 2)
        self._delay = 0.0

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)
        except TimeoutError:
            return

    async def _back_off(self) -> None:
        first, longest = BACK_OFF_SECONDS
        self._delay = min(longest, self._delay * 2 or first)
        await asyncio.sleep(self._delay)

    async def _first_unsent(self) -> OutboxPosition | None:
        async with self._asking:
            if self._asker is None or self._asker.is_closed():
                self._asker = await asyncpg.connect(
                    self.database_url, timeout=5, command_timeout=5
                )
            return await outbox_table.first_unsent(self._asker)


async def _locked(connection: asyncpg.Connection) -> None:
    """Wait until no other relay of this service holds the lock."""
    # Asked again and again: a statement that waits would hold the oldest snapshot back.
    while True:
        if await connection.fetchval("SELECT pg_try_advisory_lock(hashtext('tertib.relay'))"):
            return
        await asyncio.sleep(LOCK_SECONDS)


async def _send(producer: Producer, rows: Sequence[asyncpg.Record]) -> None:
    """Queue rows, each behind the one before it; let the loop read the next page in between."""
    send = producer.send
    for begin in range(0, len(rows), SLICE):
        await asyncio.sleep(0)
        for _, _, topic, key, event_id, type_, payload, more in rows[begin : begin + SLICE]:
            headers = headers_of(type_, event_id) + (headers_in(more) if more else [])
            send(topic, payload, key.encode(), None, headers)
        producer.serve()
