"""The consumer of one projection: fenced batches from Kafka into one PostgreSQL transaction each.

Cursors live in PostgreSQL; Kafka's own commits are a mirror for lag tools. No exception leaves the
handler: after any doubt the states in memory are dropped and the rows read again (kafka.md 5).
"""

import asyncio
import os
import socket
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

import asyncpg
import structlog
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.errors import CannotRunError
from shared.runtime import gc_tuning
from shared.runtime.consumer import progress as metrics
from shared.runtime.consumer.accounting import account
from shared.runtime.consumer.assignment import PartitionAssignment
from shared.runtime.consumer.maintenance import Maintenance
from shared.runtime.consumer.progress import Progress
from shared.runtime.failpoints import reach
from shared.runtime.kafka.codec import PassthroughCodec, parse_batch
from shared.runtime.limits import Limits
from shared.runtime.observability import correlation
from shared.runtime.parking import queries, queue
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.fold_signals import FoldFailedError
from shared.runtime.processing.state import Partition
from shared.runtime.processing.store_port import Store, WriteConflictError
from shared.runtime.processing.worker import FoldedBatch, Worker
from shared.runtime.projection import Projection
from shared.runtime.storage import table_sets
from shared.runtime.storage.failures import UNAVAILABLE
from shared.runtime.storage.outbox_sink import LiveOutbox
from shared.runtime.storage.store import PostgresStore

log = structlog.get_logger()

_PLACE_OF = attrgetter("topic", "partition")
AHEAD = 2  # Transactions under way, one behind the other: neither fold nor database waits long.


class Runner:
    """One member of a projection's consumer group.

    Called by FastStream from its poll loop; blocks it only while a transaction runs, and raises
    nothing into it. `start` and `stop` are called by the host of the process.
    """

    def __init__(
        self,
        projection: Projection[Any, Any],
        bootstrap: str,
        database_url: str,
        limits: Limits | None = None,
    ) -> None:
        if len(projection.topics) > 1 and any(kind.BROADCAST for kind in projection.hears):
            # The order between topics is undefined, so it would be undefined which broadcasts a
            # record of the second topic is judged by.
            message = f"{projection.name} hears broadcasts, so it hears one topic only"
            raise ValueError(message)
        self.projection = projection
        self.bootstrap = bootstrap
        self.database_url = database_url
        self.limits = limits or Limits()
        self.group = f"{projection.name}@{projection.version}"
        self.progress = Progress(self.group)
        self._worker = Worker(projection, self.limits)
        self._writing: deque[asyncio.Task[None]] = deque()  # In order, at most AHEAD.
        self._changed = asyncio.Condition()

    # Life.

    async def start(self) -> None:
        """Make or find the table set, and join the group.

        Errors: those of `table_sets.ensure`, of which OtherVersionError may also come later
        (`over`).
        """
        gc_tuning.settle()
        self.progress.over = asyncio.get_running_loop().create_future()
        self._pool = await asyncpg.create_pool(
            self.database_url,
            min_size=1,
            max_size=4,
            # A member that froze in a transaction must not block its successor for ever.
            server_settings={"idle_in_transaction_session_timeout": str(self.limits.session_ms)},
        )
        async with self._pool.acquire() as connection:
            schema = await table_sets.ensure(connection, self.projection, self.limits.partitions)
        self.cursors = PartitionAssignment(
            PostgresStore(self._pool, self.projection, schema, LiveOutbox()),
            self.limits,
            f"{socket.gethostname()}:{os.getpid()}",
            self.progress,
            forget=self._worker.forget,
            consumer=lambda: self._subscriber.consumer,
        )
        self.cursors.claimed = self._drain_gaps
        self._upkeep = Maintenance(self)
        self._broker = KafkaBroker(
            self.bootstrap, apply_types=False, logger=None, codec=PassthroughCodec()
        )
        self._subscriber = self._broker.subscriber(
            *self.projection.topics,
            group_id=self.group,
            batch=True,
            ack_policy=AckPolicy.MANUAL,  # The default acknowledges before the work.
            auto_offset_reset="earliest",  # The default skips the past.
            listener=self.cursors,
            max_records=self.limits.batch,
            batch_timeout_ms=self.limits.poll_ms,
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=self.limits.partition_bytes,
            session_timeout_ms=self.limits.session_ms,
            heartbeat_interval_ms=self.limits.heartbeat_ms,
            partition_assignment_strategy=(RangePartitionAssignor,),
            parser=parse_batch,
            no_reply=True,
        )
        self._subscriber(self._take)
        await self._broker.start()
        self._upkeep.start()

    async def over(self) -> None:
        """Wait until this member can never go on. Errors: CannotRunError, saying why."""
        assert self.progress.over is not None, "it was not started"  # noqa: S101  (a bug otherwise)
        await asyncio.shield(self.progress.over)

    async def stop(self) -> None:
        """Stop polling, finish or roll back the running batch, leave the group."""
        self.cursors.drop_all()
        await self._broker.stop()
        await self._writing_done()
        await self._upkeep.stop()
        await self.cursors.close()
        await self._pool.close()

    @property
    def store(self) -> PostgresStore:
        """Give the store of the table set in use."""
        store = self.cursors.store
        assert isinstance(store, PostgresStore)  # noqa: S101  (it was made here)
        return store

    @property
    def status(self) -> Progress:
        """Tell what is claimed, stopped, parked, and when the last batch was taken."""
        return self.progress

    @property
    def polls(self) -> bool:
        """Say whether FastStream's poll loop is there."""
        return any(not task.done() for task in self._subscriber.tasks)

    @property
    def writes(self) -> bool:
        """Say whether a transaction is under way."""
        return any(not task.done() for task in self._writing)

    @property
    def consumer(self) -> Any:
        """Give aiokafka's consumer under FastStream's subscriber."""
        return self._subscriber.consumer

    async def caught_up(self, ends: dict[TopicPartition, int]) -> None:
        """Wait until the cursors that this member holds have reached the given offsets."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: all(self.progress.claimed.get(p, -1) >= end for p, end in ends.items())
            )

    # Batches: a batch may span partitions, and one partition's failure never touches the others.

    async def _take(self, records: Sequence[Any]) -> None:
        """Process a batch; raises nothing, as FastStream would log it and skip the batch.

        The last transactions of a batch are written while the next is fetched and folded.
        """
        reach("after_fetch")
        self.progress.turn()
        try:
            work = await self._fresh(records)
            while work:
                work = await self._step(work)
        except CannotRunError as error:
            self.progress.end(error)
        except Exception as error:
            self.progress.refusals.note(error)
            log.exception("batch_failed", group=self.group)
            self.cursors.suspect()

    async def _fresh(self, records: Iterable[Any]) -> dict[TopicPartition, Sequence[Any]]:
        """Give the records of a batch that are not applied yet, by partition."""
        by_place: dict[TopicPartition, list[Any]] = {}
        for place, some in groupby(records, _PLACE_OF):  # They come partition by partition.
            by_place.setdefault(place, []).extend(some)
        work: dict[TopicPartition, Sequence[Any]] = {}
        for place, all_of in by_place.items():
            try:
                if ready := await self.cursors.fresh(place, all_of):
                    work[place] = ready
            except IllegalStateError:
                continue  # Revoked while its records were on their way.
        return work

    async def _step(
        self, work: dict[TopicPartition, Sequence[Any]]
    ) -> dict[TopicPartition, Sequence[Any]]:
        """Fold the records of one transaction and start to write it; give the rest."""
        cursors = self.cursors
        if self._worker.is_full:
            await self._writing_done()
            self._worker.trim()
        era, store = cursors.era, cursors.store
        held = {place: cursors.held[place] for place in work if place in cursors.held}
        work = {place: work[place] for place in held}
        if not work:
            return {}
        try:
            step = await self._worker.fold(store, held, work)
        except FoldFailedError as spoilt:
            await self._writing_done()
            if era == cursors.era:
                self._spoilt(spoilt)
            return {}
        except UNAVAILABLE as error:
            self.progress.refusals.note(error)
            log.warning("states_unknown", group=self.group, error=type(error).__name__)
            cursors.suspect()
            return {}
        await self._writing_done(AHEAD - 1)
        if era != cursors.era:
            return {}  # Something failed meanwhile: this was folded for nothing.
        before = self._writing[-1] if self._writing else None
        self._writing.append(asyncio.create_task(self._write(store, step, era, before)))
        if step.stops or step.writes.filled or self.projection.commands:
            await self._writing_done()
        return step.left if era == cursors.era else {}

    def _spoilt(self, spoilt: FoldFailedError) -> None:
        self._worker.mark(spoilt)
        reason = spoilt.mark.reason
        where = correlation.place_of(spoilt.place, spoilt.offset)
        log.warning("fold_failed", group=self.group, reason=reason, **where)
        self.cursors.suspect()

    async def _writing_done(self, but: int = 0) -> None:
        """Wait until all transactions under way have ended, or all but so many."""
        while len(self._writing) > but:
            await (oldest := self._writing[0])
            if self._writing and self._writing[0] is oldest:  # No other waiter has removed it.
                self._writing.popleft()

    async def _write(
        self, store: Store, step: FoldedBatch, era: int, before: asyncio.Task[None] | None
    ) -> None:
        """Write a step after the one before; raises nothing. After a failure rows are reread."""
        if before is not None:
            await before
            if era != self.cursors.era:
                return  # The one before failed: this was folded on states that were not written.
        try:
            await self._worker.commit(store, step)
        except FoldFailedError as spoilt:
            if era == self.cursors.era:
                self._spoilt(spoilt)
        except Exception as error:
            metrics.REFUSED.labels(self.group).inc()
            self.progress.refused += 1
            self.progress.refusals.note(error)
            log.warning("write_refused", group=self.group, error=type(error).__name__)
            if not isinstance(error, (WriteConflictError, *UNAVAILABLE)):
                log.exception("write_failed", group=self.group)
            if era == self.cursors.era:
                self.cursors.suspect()
        else:
            self.progress.refusals.end()
            account(self.progress, step)
            if era == self.cursors.era:
                await self._go_on(step)

    async def _go_on(self, step: FoldedBatch) -> None:
        """Halt partitions that must stop, apply queues whose gap is filled, notify waiters."""
        self.cursors.written(step)
        for place, halt in step.stops.items():
            await self.cursors.halt(place, halt)
        for subject in sorted(step.writes.filled):
            self._worker.entries.pop(subject, None)  # No longer the state that is stored.
            await self._drain(subject)
        async with self._changed:
            self._changed.notify_all()

    # Gaps that are filled.

    async def _drain(self, subject: str) -> None:
        """Apply a queue whose gap was filled."""
        try:
            await queue.retry(self.cursors.store, subject, "runner")
        except (WriteConflictError, *UNAVAILABLE) as error:
            log.warning("drain_failed", group=self.group, error=type(error).__name__)

    async def _drain_gaps(self, claimed: Sequence[Partition]) -> None:
        """Apply queues whose gap is filled: the member before may have died before doing it."""
        try:
            for subject in await queries.behind_a_gap(self.store, [p.number for p in claimed]):
                await self._drain(subject)
        except UNAVAILABLE as error:
            log.warning("drain_failed", group=self.group, error=type(error).__name__)
        async with self._changed:
            self._changed.notify_all()
