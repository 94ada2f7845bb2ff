"""The consumer of one projection: fenced batches from Kafka into one PostgreSQL transaction each.

Cursors live in PostgreSQL; Kafka's own commits are a mirror for lag tools. Nothing escapes the
handler, and any doubt throws the memory of its partitions away and claims them again (kafka.md 5).
"""

import asyncio
import os
import socket
import time
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg
import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.runtime import parking, tableset
from shared.runtime import progress as metrics
from shared.runtime.batch import Folding, Halt, Need, Partition, Poison, Writes
from shared.runtime.failpoints import reach
from shared.runtime.limits import Limits
from shared.runtime.memory import Memory
from shared.runtime.progress import Progress
from shared.runtime.projection import Projection
from shared.runtime.raw import RawRecords, lean
from shared.runtime.store import Fenced, Store

log = structlog.get_logger()

Place = tuple[str, int]


class Runner(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped.
    """One member of a projection's consumer group.

    Called by FastStream from its poll loop; never blocks it but for a running transaction, and
    raises nothing into it. `start` and `stop` are for whoever runs the process.
    """

    def __init__(
        self,
        projection: Projection[Any, Any],
        bootstrap: str,
        database_url: str,
        limits: Limits | None = None,
    ) -> None:
        self.projection = projection
        self.bootstrap = bootstrap
        self.database_url = database_url
        self.limits = limits or Limits()
        self.group = f"{projection.name}@{projection.version}"
        self.owner = f"{socket.gethostname()}:{os.getpid()}"
        self.progress = Progress(self.group)
        self._memory = Memory(projection)
        self._generation = 0
        self._partitions: dict[Place, Partition] = {}
        self._sought: dict[Place, int] = {}
        self._poison: dict[tuple[str, int, int], tuple[str, str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()

    # Life.

    async def start(self) -> None:
        """Make or find the table set, and join the group."""
        self._pool = await asyncpg.create_pool(self.database_url, min_size=1, max_size=4)
        async with self._pool.acquire() as connection:
            schema = await tableset.ensure(
                connection, self.projection, self.limits.partitions
            )
        self.store = Store(self._pool, self.projection, schema)
        self._broker = KafkaBroker(
            self.bootstrap, apply_types=False, logger=None, codec=RawRecords()
        )
        self._subscriber = self._broker.subscriber(
            *self.projection.topics,
            group_id=self.group,
            batch=True,
            ack_policy=AckPolicy.MANUAL,  # The default acknowledges before the work.
            auto_offset_reset="earliest",  # The default skips the past.
            listener=self,
            max_records=self.limits.batch,
            batch_timeout_ms=self.limits.poll_ms,
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=self.limits.partition_bytes,
            session_timeout_ms=self.limits.session_ms,
            heartbeat_interval_ms=self.limits.session_ms // 3,
            partition_assignment_strategy=(RangePartitionAssignor,),
            parser=lean,
            no_reply=True,
        )
        self._subscriber(self._take)
        await self._broker.start()
        self._spawn(self._mirror())
        self._spawn(self._watch())

    async def stop(self) -> None:
        """Stop polling, finish or roll back the running batch, leave the group."""
        self._generation += 1
        await self._broker.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pool.close()

    async def caught_up(self, ends: dict[Place, int]) -> None:
        """Wait until the cursors this member holds have reached the given offsets."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: all(self.progress.claimed.get(p, -1) >= end for p, end in ends.items())
            )

    @property
    def consumer(self) -> Any:
        """Give aiokafka's consumer under FastStream's subscriber."""
        return self._subscriber.consumer

    # Assignment: pause first, before any await; claim in a task; no heartbeats in here.

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._forget_all()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._forget_all()
        partitions = list(assigned)
        if partitions:
            self.consumer.pause(*partitions)
            self.progress.waiting = {(p.topic, p.partition) for p in partitions}
            self._spawn(self._claim(partitions, self._generation, 0))

    def _forget_all(self) -> None:
        self._generation += 1
        self._partitions.clear()
        self._sought.clear()
        self._memory.clear()
        self.progress.claimed.clear()
        self.progress.waiting.clear()
        self.progress.stopped.clear()

    async def _claim(
        self, partitions: Sequence[TopicPartition], generation: int, delay: float
    ) -> None:
        """Take the cursors, check them against the log, seek and go on; try until it is done."""
        while generation == self._generation:
            await asyncio.sleep(delay)
            try:
                await self._claim_once(partitions, generation)
            except IllegalStateError:
                return  # Revoked in the meantime: the next assignment claims anew.
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, KafkaError) as error:
                delay = min(delay * 2 or 0.2, 5.0)
                log.warning("claim_failed", group=self.group, error=type(error).__name__)
            else:
                return

    async def _claim_once(self, partitions: Sequence[TopicPartition], generation: int) -> None:
        if await self.store.follow():
            log.info("table_set_followed", group=self.group, schema=self.store.schema)
            self._memory.clear()
        by_topic: dict[str, dict[int, TopicPartition]] = {}
        for partition in partitions:
            by_topic.setdefault(partition.topic, {})[partition.partition] = partition
        for topic, wanted in by_topic.items():
            rows = {
                row["partition"]: row
                for row in await self.store.claim(topic, list(wanted), self.owner)
            }
            begins = await self.consumer.beginning_offsets(list(wanted.values()))
            ends = await self.consumer.end_offsets(list(wanted.values()))
            for number, partition in wanted.items():
                row = rows.get(number)
                fault = _fault(row, begins[partition], ends[partition])
                if fault is not None or row is None:
                    await self._halt((topic, number), row["epoch"] if row else 0, fault or "")
                    continue
                if generation != self._generation:
                    return
                held = await self.store.partition(topic, row)
                if generation != self._generation:
                    return
                self._resume(partition, held)

    def _resume(self, partition: TopicPartition, held: Partition) -> None:
        place = held.topic, held.number
        self._partitions[place] = held
        self._sought[place] = held.next_offset
        self.consumer.seek(partition, held.next_offset)
        self.consumer.resume(partition)
        self.progress.claimed[place] = held.next_offset
        self.progress.waiting.discard(place)
        self.progress.stopped.pop(place, None)
        self._spawn(self._tell())

    # Batches: a batch may span partitions, and one partition's failure never touches the others.

    async def _take(self, records: Sequence[Any]) -> None:
        """Take a batch; nothing escapes: FastStream would log it and poll on."""
        reach("after_fetch")
        self.progress.turn()
        by_place: dict[Place, list[Any]] = {}
        for record in records:
            by_place.setdefault((record.topic, record.partition), []).append(record)
        fresh: dict[Place, list[Any]] = {}
        for place, some in by_place.items():
            try:
                if ready := self._fresh(place, some):
                    fresh[place] = ready
            except IllegalStateError:
                continue  # Revoked while its records were on their way.
        while fresh:
            fresh = await self._transaction(fresh)

    def _fresh(self, place: Place, records: list[Any]) -> list[Any]:
        """Hold a partition's records against its cursor (kafka.md 5); [] if they must wait."""
        held = self._partitions.get(place)
        partition = TopicPartition(*place)
        if held is None:
            self.consumer.pause(partition)
            if place not in self.progress.stopped and place not in self.progress.waiting:
                self._reclaim([place], 0)
            return []
        if records[0].offset > held.next_offset and self._sought.get(place) != held.next_offset:
            metrics.SEEKS.labels(self.group).inc()
            self.consumer.seek(partition, held.next_offset)  # Read again, never on.
            self._sought[place] = held.next_offset
            return []
        return [record for record in records if record.offset >= held.next_offset]

    async def _transaction(self, fresh: dict[Place, list[Any]]) -> dict[Place, list[Any]]:
        """Fold as much as the budget allows and commit it; give what is left of the batch."""
        generation, began = self._generation, time.perf_counter()
        folding = Folding(
            self.projection,
            self._memory.entries,
            self._poison,
            budget=self.limits.budget,
            brake=self.limits.brake,
        )
        left: dict[Place, list[Any]] = {}
        taken: list[Place] = []
        halted: dict[Place, str] = {}
        for place, records in fresh.items():
            held = self._partitions.get(place)
            if held is None or generation != self._generation:
                continue
            try:
                done = await self._drive(folding, held, records)
            except Halt as halt:
                halted[place] = str(halt)
                break  # Its half-applied states are in the same memory: none of it is written.
            except Poison as poison:
                self._poison[poison.place] = poison.reason, poison.error
                log.warning("record_poisonous", place=poison.place, reason=poison.reason)
                self._doubt(fresh, 0)
                return {}
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                self._refused(error, fresh)
                return {}
            taken.append(place)
            if done < len(records):
                left[place] = records[done:]
        if generation != self._generation:
            return {}
        if halted:
            await self._stop_halted(halted, fresh)
            return {}
        folded = time.perf_counter()
        reach("after_fold")
        if not await self._commit(folding.writes, fresh):
            return {}
        metrics.STAGES.labels(self.group, "fold").observe(folded - began)
        metrics.STAGES.labels(self.group, "flush").observe(time.perf_counter() - folded)
        return {place: records for place, records in left.items() if place in self._partitions}

    async def _drive(self, folding: Folding, held: Partition, records: list[Any]) -> int:
        """Run the fold, fetching what it asks for."""
        steps = folding.partition(held, records)
        try:
            need = next(steps)
            while True:
                await self._fetch(need, held)
                need = steps.send(None)
        except StopIteration as end:
            taken: int = end.value
            return taken

    async def _fetch(self, need: Need, held: Partition) -> None:
        if need.load is not None:
            rows = await self.store.older(need.load, need.subjects[0])
            state = self._memory.entries[need.subjects[0]].state
            self.projection.deepen(state, need.load, rows)
            return
        self._memory.take(await self.store.entries(need.subjects, need.partition), held)

    async def _commit(self, writes: Writes, fresh: dict[Place, list[Any]]) -> bool:
        try:
            reach("before_commit")
            await self.store.commit(writes, writes.rows(self.projection))
            reach("after_commit")
        except Halt as halt:
            await self._stop_halted(dict.fromkeys(fresh, str(halt)), fresh)
            return False
        except (Fenced, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            self._refused(error, fresh)
            return False
        for place, (offset, _, _) in writes.cursors.items():
            if place in self._partitions:
                self.progress.claimed[place] = offset
        self._account(writes)
        for subject in sorted(writes.filled):
            await self._drain(subject)
        self._memory.trim(self.limits.hot)
        await self._tell()
        return True

    async def _drain(self, subject: str) -> None:
        """Apply a queue whose gap was filled; its state in memory is no longer the one stored."""
        self._memory.entries.pop(subject, None)
        try:
            await parking.retry(self.store, subject, "runner")
        except (Fenced, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.warning("drain_failed", group=self.group, error=type(error).__name__)

    def _account(self, writes: Writes) -> None:
        metrics.APPLIED.labels(self.group).inc(writes.records)
        metrics.DUPLICATES.labels(self.group).inc(writes.ignored)
        for parked in writes.parked:
            metrics.PARKED.labels(self.group, parked.reason).inc()
        self.progress.records += writes.records
        self.progress.told += len(writes.events)
        self.progress.parked += len(writes.parked)
        log.info(
            "batch_taken",
            group=self.group,
            records=writes.records,
            told=len(writes.events),
            ignored=writes.ignored,
            parked=len(writes.parked),
        )

    # Doubt.

    def _refused(self, error: Exception, places: Iterable[Place]) -> None:
        """Forget what was not written: the rows tell what happened."""
        metrics.REFUSED.labels(self.group).inc()
        self.progress.refused += 1
        log.warning("write_refused", group=self.group, error=type(error).__name__)
        # A fenced loser waits a heartbeat, or it and the owner take the epoch in turns.
        self._doubt(places, self.limits.session_ms / 3_000)

    def _doubt(self, places: Iterable[Place], delay: float) -> None:
        """Throw the memory away and claim these partitions again."""
        self._memory.clear()
        for place in list(self._partitions):
            # States of one memory: what another partition holds may be half applied as well.
            self._partitions.pop(place)
            self._sought.pop(place, None)
            self.progress.claimed.pop(place, None)
        self._reclaim([*self._assigned()], delay)

    def _assigned(self) -> Iterable[Place]:
        for partition in self.consumer.assignment():
            place = partition.topic, partition.partition
            if place not in self.progress.stopped and place not in self.progress.waiting:
                yield place

    def _reclaim(self, places: Sequence[Place], delay: float) -> None:
        partitions = [TopicPartition(*place) for place in places]
        if not partitions:
            return
        try:
            self.consumer.pause(*partitions)
        except IllegalStateError:
            return
        self.progress.waiting |= set(places)
        self._spawn(self._claim(partitions, self._generation, delay))

    async def _stop_halted(self, halted: dict[Place, str], fresh: Iterable[Place]) -> None:
        for place, reason in halted.items():
            held = self._partitions.get(place)
            await self._halt(place, held.epoch if held else 0, reason)
        self._doubt([place for place in fresh if place not in halted], 0)

    async def _halt(self, place: Place, epoch: int, reason: str) -> None:
        """Leave a partition standing, and say so; the others go on."""
        log.error("partition_stopped", group=self.group, place=place, reason=reason)
        self.progress.stopped[place] = reason
        self.progress.waiting.discard(place)
        self._partitions.pop(place, None)
        metrics.STOPPED.labels(self.group).set(len(self.progress.stopped))
        try:
            self.consumer.pause(TopicPartition(*place))
            await self.store.stop(place[0], place[1], epoch, reason)
        except (IllegalStateError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.warning("halt_not_stored", group=self.group, error=type(error).__name__)

    # Beside the loop.

    async def _mirror(self) -> None:
        """Let lag tools see the cursors; nobody reads these commits back."""
        while True:
            await asyncio.sleep(self.limits.mirror_seconds)
            reach("before_mirror")
            offsets = {
                TopicPartition(*place): offset for place, offset in self.progress.claimed.items()
            }
            try:
                if offsets:
                    await self.consumer.commit(offsets)
            except (KafkaError, IllegalStateError) as error:
                log.info("mirror_failed", group=self.group, error=type(error).__name__)

    async def _watch(self) -> None:
        """Let the health endpoint see that this process's loop turns, also when nothing comes."""
        while True:
            await asyncio.sleep(1)
            task = getattr(self._subscriber, "tasks", None)
            if task is None or any(not each.done() for each in task):
                self.progress.turn()
            metrics.CLAIMED.labels(self.group).set(len(self.progress.claimed))

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _fault(row: Any, begin: int, end: int) -> str | None:
    """Say why a cursor and a log do not belong together; None if they do."""
    if row is None:
        return "not bootstrapped: there is no cursor for this partition"
    if row["next_offset"] < begin:
        return f"history lost: the cursor is {row['next_offset']}, the log begins at {begin}"
    if row["next_offset"] > end:
        return f"log shorter than the cursor: {row['next_offset']} of {end}"
    return None
