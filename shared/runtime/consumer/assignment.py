"""Which partitions a member holds, and how far each is applied: the fence of kafka.md 5.

Cursors live in PostgreSQL. A claim increases the cursor's epoch, checks the cursor against the
log, and only then lets records come. After any doubt the cursor rows are read again: they are
right in every case.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import aiokafka
import structlog
from aiokafka import ConsumerRebalanceListener
from aiokafka.errors import IllegalStateError

from shared.errors import CannotRunError
from shared.runtime.consumer import progress as metrics
from shared.runtime.consumer.claims import Claims, against_the_log, as_known, pause, still_ours
from shared.runtime.consumer.fence import BatchLostError, LogReplacedError, OffsetFence
from shared.runtime.consumer.halts import OTHER_LOG, HaltReports
from shared.runtime.consumer.progress import Progress
from shared.runtime.limits import Limits
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.brake import Brake
from shared.runtime.processing.halt import Halt
from shared.runtime.processing.state import Cursor, Partition
from shared.runtime.processing.store_port import Store
from shared.runtime.processing.worker import FoldedBatch

log = structlog.get_logger()


class PartitionAssignment(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped.
    """The partitions of one member, as aiokafka's rebalance listener.

    `held` are the claimed ones; `forget` is called when states in memory may be wrong. Raises
    nothing into aiokafka, which would only log it and continue to consume.
    """

    def __init__(  # noqa: PLR0913  (its parts; made in one place)
        self,
        store: Store,
        limits: Limits,
        owner: str,
        progress: Progress,
        *,
        forget: Callable[[], None],
        consumer: Callable[[], Any],
    ) -> None:
        self.store = store
        self.limits = limits
        self.owner = owner
        self.progress = progress
        self._claims = Claims(limits, progress, self._claim_once)
        # Grows whenever states in memory are dropped: a fold that began before it is void.
        self.memory_generation = 0
        self.held: dict[TopicPartition, Partition] = {}
        self.claimed: Callable[[Sequence[Partition]], Awaitable[None]] | None = None
        self._forget = forget
        self._consumer = consumer
        self._fence = OffsetFence()
        self._brakes: dict[TopicPartition, Brake] = {}  # As of what is written.
        self._halts = HaltReports(progress)

    @property
    def consumer(self) -> Any:
        """Give aiokafka's consumer; FastStream makes it when it starts."""
        return self._consumer()

    # Assignment: pause first, before any await; claim in a task; no heartbeats in here.

    async def on_partitions_revoked(self, revoked: Iterable[aiokafka.TopicPartition]) -> None:
        """Drop everything: a rebalance replaces all partitions."""
        del revoked
        self.drop_all()

    async def on_partitions_assigned(self, assigned: Iterable[aiokafka.TopicPartition]) -> None:
        """Pause new partitions at once, until their cursors are claimed."""
        self.drop_all()
        partitions = list(assigned)
        if partitions:
            self.consumer.pause(*partitions)
            self._claims.later([(p.topic, p.partition) for p in partitions], 0)

    def drop_all(self) -> None:
        """Hold no partition; work under way finds another generation and gives up."""
        self._claims.generation += 1
        self._let_go(list(self.held))
        self._brakes.clear()
        self._halts.culprits.clear()
        self.progress.waiting.clear()
        self.progress.stopped.clear()
        self.progress.refusals.end()
        self.progress.set_gauges()

    async def close(self) -> None:
        """End what runs in the background."""
        self.drop_all()
        await self._claims.close()

    # Claiming.

    async def _claim_once(self, places: Sequence[TopicPartition], generation: int) -> None:
        await self._follow()
        store = self.store
        rows = {row[:2]: row for row in await store.claim(places, self.owner)}
        begins, faults = await against_the_log(self.consumer, places, rows)
        good = [rows[place] for place in places if faults[place] is None]
        found, unknown = await as_known(store, good, self.limits)
        faults.update(unknown)
        if generation != self._claims.generation or store is not self.store:
            return
        for place, fault in faults.items():
            if fault is not None:
                await self._halt(place, rows.get(place), fault)
        for part in found:
            self._start(part, begins[part.place])
        if self.claimed is not None:
            await self.claimed(found)

    async def _follow(self) -> None:
        """Continue with the table set that is live now: a rebuild may have switched it."""
        live = await self.store.live()
        if live is not self.store:
            log.info("table_set_followed", group=self.progress.group)
            self.store = live
            gone = self._let_go(list(self.held))
            if gone and pause(self.consumer, gone):
                self._claims.later(list(gone), 0)

    def _start(self, part: Partition, begin: int | None = None) -> None:
        """Consume a partition from its cursor on.

        If the log's beginning is given, the record before the cursor is read as well, to check
        that it is the same log.
        Errors: IllegalStateError if it was revoked.
        """
        partition = aiokafka.TopicPartition(*part.place)
        behind = begin is not None and part.tail is not None and part.next_offset > begin
        self.consumer.seek(partition, part.next_offset - 1 if behind else part.next_offset)
        self.consumer.resume(partition)
        if behind:
            self._fence.expect_known(part.place)
        self.held[part.place] = part
        self.progress.start(part.place, part.next_offset)

    # Batches.

    async def fresh(self, place: TopicPartition, records: list[Any]) -> list[Any]:
        """Give the records at and behind a partition's cursor; [] if they must wait.

        Errors: IllegalStateError if the partition was revoked.
        """
        part = self.held.get(place)
        partition = aiokafka.TopicPartition(*place)
        if part is None:
            self.consumer.pause(partition)
            if place not in self.progress.stopped and place not in self.progress.waiting:
                self._claims.later([place], 0)
            return []
        try:
            return self._fence.fresh(part, records)
        except BatchLostError:
            metrics.SEEKS.labels(self.progress.group).inc()
            self.consumer.seek(partition, part.next_offset)  # Read again, never on.
        except LogReplacedError:
            await self.halt(place, OTHER_LOG)
        return []

    # Doubt.

    def _let_go(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, Partition]:
        """Stop holding these; states in memory may be theirs, so all states are dropped."""
        self.memory_generation += 1
        self._forget()
        gone = {place: self.held.pop(place) for place in places if place in self.held}
        for place in gone:
            self._fence.forget(place)
            self.progress.claimed.pop(place, None)
        self.progress.set_gauges()
        return gone

    def reload_from_store(self) -> None:
        """Drop states and read the cursors again, which say what is written: something failed."""
        gone = self._let_go(list(self.held))
        if gone and pause(self.consumer, gone):
            self.progress.waiting |= set(gone)
            self._claims.spawn(self._reread(gone, self._claims.generation))

    async def _reread(self, before: dict[TopicPartition, Partition], generation: int) -> None:
        """Continue with the partitions that are still ours, from their cursors in the database.

        What is refused again and again is tried more and more slowly.
        The others are claimed again after a heartbeat; without that pause, this member and the new
        owner would take the epoch from each other in turns.
        """
        await asyncio.sleep(self.progress.refusals.pause(self.limits.longest_pause))
        store = self.store
        try:
            ours = await still_ours(store, before, self.limits, self.progress.group)
        except CannotRunError as error:
            self.progress.end(error)
            return
        if generation != self._claims.generation:
            return
        if store is not self.store:
            ours = []
        lost = [place for place in before if place not in {part.place for part in ours}]
        try:
            for part in ours:
                if part.place in self._brakes:
                    part.brake = replace(self._brakes[part.place])
                self._start(part)
        except IllegalStateError:
            return  # Revoked in the meantime: the next assignment claims again.
        if lost:
            self._claims.later(lost, self.limits.heartbeat_ms / 1000)

    def written(self, step: FoldedBatch) -> None:
        """Note what a step has written."""
        for place, cursor in step.writes.cursors.items():
            if place in self.held:
                self.progress.claimed[place] = cursor.next_offset
            if (age := self._fence.age_of(place, cursor)) is not None:
                metrics.LATENESS.labels(self.progress.group, place[0]).set(age)
        for place, brake in step.brakes.items():
            self._brakes[place] = brake
        self._halts.culprits.update(step.culprits)

    # Halts.

    async def halt(self, place: TopicPartition, why: Halt) -> None:
        """Halt a partition at its cursor, and report it; the others continue."""
        part = self.held.pop(place, None)
        self._fence.forget(place)
        self._brakes.pop(place, None)
        row = Cursor(*place, part.next_offset, "", part.broadcast, part.epoch) if part else None
        await self._halt(place, row, why)

    async def _halt(self, place: TopicPartition, row: Cursor | None, why: Halt) -> None:
        pause(self.consumer, [place])
        await self._halts.report(self.store, place, row, why)

    def recheck(self) -> None:
        """Claim halted partitions again: the cause may have been repaired."""
        if places := [p for p in self.progress.stopped if p not in self.progress.waiting]:
            self._claims.later(places, 0)
