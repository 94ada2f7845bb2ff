"""The consumer of one projection: fenced batches from Kafka into one PostgreSQL transaction each.

Cursors live in PostgreSQL; Kafka's own commits are a mirror for lag tools. No exception leaves the
handler: after any doubt the states in memory are dropped and the rows read again (kafka.md 5).
"""

import asyncio
import os
import socket
from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from aiokafka.errors import IllegalStateError

from shared.errors import CannotRunError
from shared.runtime import gc_tuning
from shared.runtime.consumer import gap_drain, subscription
from shared.runtime.consumer.accounting import account, account_refusal, report_failed_fold
from shared.runtime.consumer.assignment import PartitionAssignment
from shared.runtime.consumer.fence import by_partition
from shared.runtime.consumer.maintenance import Maintenance
from shared.runtime.consumer.pending_writes import PendingWrites
from shared.runtime.consumer.progress import Progress
from shared.runtime.failpoints import reach
from shared.runtime.limits import Limits
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.fold_signals import FoldFailedError
from shared.runtime.processing.state import Partition
from shared.runtime.processing.store_port import Store
from shared.runtime.processing.worker import FoldedBatch, Worker
from shared.runtime.projection import Projection
from shared.runtime.storage import table_sets
from shared.runtime.storage.consumer_pool import open_pool
from shared.runtime.storage.failures import UNAVAILABLE
from shared.runtime.storage.outbox_sink import LiveOutbox
from shared.runtime.storage.store import PostgresStore

log = structlog.get_logger()

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
        subscription.refuse_mixed_topics(projection)
        self.projection = projection
        self.bootstrap = bootstrap
        self.database_url = database_url
        self.limits = limits or Limits()
        self.group = f"{projection.name}@{projection.version}"
        self.progress = Progress(self.group)
        self._worker = Worker(projection, self.limits)
        self._pending = PendingWrites()  # At most AHEAD.
        self._changed = asyncio.Condition()

    # Life.

    async def start(self) -> None:
        """Make or find the table set, and join the group.

        Errors: those of `table_sets.ensure`, of which OtherVersionError may also come later
        (`over`).
        """
        gc_tuning.settle()
        self.progress.over = asyncio.get_running_loop().create_future()
        self._pool = await open_pool(self.database_url, self.limits.session_ms)
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
        self._broker = subscription.broker_of(self.bootstrap)
        self._subscriber = subscription.subscriber_of(
            self._broker, self.projection.topics, self.group, self.limits, self.cursors
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
        await self._pending.done()
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
    def polls(self) -> bool:
        """Say whether FastStream's poll loop is there."""
        return any(not task.done() for task in self._subscriber.tasks)

    @property
    def writes(self) -> bool:
        """Say whether a transaction is under way."""
        return self._pending.under_way

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
        self.progress.note_turn()
        try:
            work = await self._fresh(records)
            while work:
                work = await self._step(work)
        except CannotRunError as error:
            self.progress.end(error)
        except Exception as error:
            self.progress.refusals.note(error)
            log.exception("batch_failed", group=self.group)
            self.cursors.reload_from_store()

    async def _fresh(self, records: Iterable[Any]) -> dict[TopicPartition, Sequence[Any]]:
        """Give the records of a batch that are not applied yet, by partition."""
        work: dict[TopicPartition, Sequence[Any]] = {}
        for place, all_of in by_partition(records).items():
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
            await self._pending.done()
            self._worker.trim()
        memory, store = cursors.memory_generation, cursors.store
        held = {place: cursors.held[place] for place in work if place in cursors.held}
        work = {place: work[place] for place in held}
        if not work:
            return {}
        try:
            step = await self._worker.fold(store, held, work)
        except FoldFailedError as failed:
            await self._pending.done()
            if memory == cursors.memory_generation:
                self._fold_again(failed)
            return {}
        except UNAVAILABLE as error:
            self.progress.refusals.note(error)
            log.warning("states_unknown", group=self.group, error=type(error).__name__)
            cursors.reload_from_store()
            return {}
        await self._pending.done(AHEAD - 1)
        if memory != cursors.memory_generation:
            return {}  # Something failed meanwhile: this was folded for nothing.
        self._pending.start(self._write(store, step, memory, self._pending.last))
        if step.stops or step.writes.filled or self.projection.commands:
            await self._pending.done()
        return step.left if memory == cursors.memory_generation else {}

    def _fold_again(self, failed: FoldFailedError) -> None:
        self._worker.mark(failed)
        report_failed_fold(self.group, failed)
        self.cursors.reload_from_store()

    async def _write(
        self, store: Store, step: FoldedBatch, memory: int, before: asyncio.Task[None] | None
    ) -> None:
        """Write a step after the one before; raises nothing. After a failure rows are reread."""
        if before is not None:
            await before
            if memory != self.cursors.memory_generation:
                return  # The one before failed: this was folded on states that were not written.
        try:
            await self._worker.commit(store, step)
        except FoldFailedError as failed:
            if memory == self.cursors.memory_generation:
                self._fold_again(failed)
        except Exception as error:  # noqa: BLE001  (it is reported there)
            account_refusal(self.progress, error)
            if memory == self.cursors.memory_generation:
                self.cursors.reload_from_store()
        else:
            account(self.progress, step)
            if memory == self.cursors.memory_generation:
                await self._go_on(step)

    async def _go_on(self, step: FoldedBatch) -> None:
        """Halt partitions that must stop, apply queues whose gap is filled, notify waiters."""
        self.cursors.written(step)
        for place, halt in step.stops.items():
            await self.cursors.halt(place, halt)
        for subject in sorted(step.writes.filled):
            self._worker.entries.pop(subject, None)  # No longer the state that is stored.
            await gap_drain.drain(self.cursors.store, subject, self.group)
        async with self._changed:
            self._changed.notify_all()

    async def _drain_gaps(self, claimed: Sequence[Partition]) -> None:
        """Apply queues of claimed partitions whose gap is filled, and notify waiters."""
        await gap_drain.drain_claimed(self.store, claimed, self.group)
        async with self._changed:
            self._changed.notify_all()
