"""The relay: publishes an outbox in the order of its commits.

One at a time per service and outbox, by a session's advisory lock. The cursor moves only over what
is acknowledged, of a broadcast by all partitions, so a crash repeats and never skips; readers drop
repetitions by `subjectseq` and `broadcastseq`, and facts of people by their ids.
"""

import asyncio
import time

import asyncpg
import structlog

from shared.runtime.failpoints import reach
from shared.runtime.kafka.producer import DeliveryFailedError, Producer, ProducerConfig
from shared.runtime.outbox import outbox_table
from shared.runtime.outbox.guard import Guard
from shared.runtime.outbox.outbox_table import OutboxPosition
from shared.runtime.outbox.relay_status import ACTIVE, FAILURES, PUBLISHED, RelayStatus
from shared.runtime.outbox.sending import send
from shared.runtime.storage.failures import REFUSED, UNAVAILABLE, refusal_of
from shared.runtime.storage.schema import EVENTS, OutboxTable

PAGE = 5_000
WINDOW = 50_000  # Records sent before their answers are awaited: some tens of megabytes.
POLL_SECONDS = 0.25  # What a lost wake-up costs.
LOCK_SECONDS = 0.5
ROOM_SECONDS = 86_400.0
GUARD_SECONDS = 60.0
BACK_OFF_SECONDS = 0.2, 5.0

log = structlog.get_logger()


class Relay:
    """Publishes one outbox of a service. `settings` are librdkafka's and go before ours.

    `troubles`: where it says, by the name of its outbox, why it cannot publish now.
    """

    def __init__(  # noqa: PLR0913  (what is published, for whom, where to, and how)
        self,
        database_url: str,
        bootstrap: str,
        service: str,
        settings: ProducerConfig | None = None,
        *,
        outbox: OutboxTable = EVENTS,
        guard: Guard | None = None,
    ) -> None:
        self.outbox = outbox
        self._guard = guard
        self._labels = service, outbox.name
        self.database_url = database_url
        self.bootstrap = bootstrap
        self.service = service
        self.settings = settings or {}
        self.status = RelayStatus()
        self.troubles: dict[str, str] = {}
        self._limit = PAGE
        self._delay = 0.0
        self._woken = asyncio.Event()
        self._asking = asyncio.Lock()
        self._asker: asyncpg.Connection | None = None
        self._seen: tuple[OutboxPosition, float] | None = None

    async def run(self) -> None:
        """Publish until cancelled, also after lost databases and failed deliveries.

        Errors: OutboxRestoredError if the rows come from another cluster, and what the guard
        refuses: nothing was published.
        """
        try:
            while True:
                try:
                    await self._hold()
                except UNAVAILABLE as error:
                    log.warning("relay_lost_database", service=self.service, error=str(error))
                except REFUSED as error:
                    self.troubles[self.outbox.name] = f"the database refuses: {refusal_of(error)}"
                    log.exception("relay_refused", service=self.service)
                self._activate(active=False)
                await self._back_off()
        finally:
            self._activate(active=False)
            if self._asker is not None:
                self._asker.terminate()

    @property
    def active(self) -> bool:
        """Say whether this relay is the one that works."""
        return self.status.active

    async def drained(self) -> bool:
        """Say whether every committed event is acknowledged. Errors: those of the database."""
        return await self._first_unsent() is None

    async def oldest_unsent_seconds(self) -> float | None:
        """Give the seconds since the oldest event was first seen unpublished; None: all are.

        Measured from the first call that saw it: rows carry no time, and a wall clock may jump.
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
        ACTIVE.labels(*self._labels).set(active)

    # One connection: the lock ends with it, and nothing is marked without it.

    async def _hold(self) -> None:
        connection = await asyncpg.connect(
            self.database_url,
            timeout=30,
            command_timeout=60,
            # A mark that a crash of the server takes with it only repeats what was published.
            server_settings={
                "application_name": f"{self.service}: relay of {self.outbox.name}",
                "synchronous_commit": "off",
            },
        )
        try:
            await outbox_table.prepare(connection, self.outbox)
            await _locked(connection, self.outbox)
            await outbox_table.refuse_restored(connection, self.outbox)
            if self._guard is not None:
                await self._guard.check(connection)
            await connection.add_listener(self.outbox.channel, lambda *_: self._woken.set())
            self._activate(active=True)
            log.debug("relay_started", service=self.service, outbox=self.outbox.name)
            await self._with_producers(connection)
        finally:
            connection.terminate()

    async def _with_producers(self, connection: asyncpg.Connection) -> None:
        """Publish with one producer after another, each until a delivery fails."""
        while True:
            producer = Producer(self.bootstrap, self.settings)
            try:
                await self._publish(connection, producer)
            except DeliveryFailedError as failure:
                self.status.failures += 1
                FAILURES.labels(*self._labels).inc()
                self._limit = max(1, self._limit // 8)  # Come close to the row that is refused.
                log.warning(
                    "relay_delivery_failed",
                    service=self.service,
                    outbox=self.outbox.name,
                    error=str(failure),
                    **failure.record,
                )
            finally:
                producer.abandon()
            await self._back_off()

    async def _publish(self, connection: asyncpg.Connection, producer: Producer) -> None:
        """Publish from the acknowledged prefix on."""
        place = await outbox_table.cursor(connection, self.outbox)
        room_until = time.monotonic() + ROOM_SECONDS
        guard_until = time.monotonic() + GUARD_SECONDS
        while True:
            self._woken.clear()
            place = await self._drain(connection, producer, place)
            self.troubles.pop(self.outbox.name, None)
            self.status.looks += 1
            if time.monotonic() > room_until:
                await outbox_table.prepare(connection, self.outbox)
                room_until = time.monotonic() + ROOM_SECONDS
            if self._guard is not None and time.monotonic() > guard_until:
                await self._guard.note(connection)
                guard_until = time.monotonic() + GUARD_SECONDS
            await self._wait()

    async def _drain(
        self, connection: asyncpg.Connection, producer: Producer, place: OutboxPosition
    ) -> OutboxPosition:
        """Publish what there is; read the next page while this one is sent."""
        waiting, unmarked = 0, 0
        rows = await outbox_table.page(connection, place, self._limit, self.outbox)
        while rows:
            self.status.unsent = True
            place = OutboxPosition(rows[-1][0], rows[-1][1])
            following = asyncio.create_task(
                outbox_table.page(connection, place, self._limit, self.outbox)
            )
            try:
                waiting += await send(producer, rows)
                unmarked += len(rows)
                reach("relay_after_send")
                rows = await following
            finally:
                following.cancel()
            if not rows or waiting >= WINDOW or self._limit < PAGE:
                await producer.flush()
                reach("relay_before_mark")
                await outbox_table.mark(connection, place, self.outbox)
                self._marked(unmarked)
                waiting = unmarked = 0
        self.status.unsent = False
        return place

    def _marked(self, rows: int) -> None:
        self.status.published += rows
        PUBLISHED.labels(*self._labels).inc(rows)
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
            return await outbox_table.first_unsent(self._asker, self.outbox)


async def _locked(connection: asyncpg.Connection, outbox: OutboxTable) -> None:
    """Wait until no other relay of this outbox holds the lock."""
    # Asked repeatedly: a statement that waits would hold the oldest snapshot back.
    while True:
        if await connection.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", outbox.lock):
            return
        await asyncio.sleep(LOCK_SECONDS)
