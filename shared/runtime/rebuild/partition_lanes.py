"""The long part of a rebuild: folds and compares partitions, in lanes beside one another.

One partition folds while another is written, read or compared. Partitions know nothing of each
other, so that processes may share them (`worker_processes.py`).
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import asyncpg

from shared.events.catalogue import KINDS
from shared.runtime.limits import Limits
from shared.runtime.processing.worker import FoldedBatch
from shared.runtime.projection import Projection
from shared.runtime.rebuild import published_log, unsaid_events
from shared.runtime.rebuild.comparison import Comparison, Differences, EnoughDiffer
from shared.runtime.rebuild.reference import LiveTables, Reference
from shared.runtime.rebuild.replay import Replay
from shared.runtime.storage.event_sink import CollectedEvents
from shared.runtime.storage.store import PostgresStore

LANES = 2  # One folds, one waits. More would be little faster, and hold more in memory.


@dataclass(frozen=True)
class Task:
    """What is rebuilt, and compared with what; `new` is a schema. It can be sent to a process."""

    projection: Projection[Any, Any]
    bootstrap: str
    database_url: str
    limits: Limits
    reference: Reference
    new: str

    @property
    def own(self) -> list[str]:
        """Name the topics of the service itself among those that the projection hears."""
        told = {kind.TOPIC for kind in KINDS if self.projection.service == kind.SERVICE}
        return [topic for topic in self.projection.topics if topic in told]

    def refolding(self, pool: asyncpg.Pool, concluded: CollectedEvents) -> Replay:
        """Give a fold into the new tables; what it concludes is collected."""
        store = PostgresStore(pool, self.projection, self.new, concluded)
        return Replay(store, self.bootstrap, self.own, self.limits)


@dataclass
class PartitionLanes:
    """Folds and compares partitions. `folded` hears how many records each step had."""

    task: Task
    pool: asyncpg.Pool
    folded: Callable[[int], None]
    differences: Differences = field(default_factory=Differences)
    events: int = 0  # That were compared.

    async def run(self, numbers: Iterable[int]) -> None:
        """Take partitions until none is left, or enough is different.

        Errors: CannotRunError if the log is not whole, a partition stops in it, or the service
        does not publish.
        """
        left = iter(numbers)
        lanes = [asyncio.create_task(self._lane(left)) for _ in range(LANES)]
        try:
            await asyncio.gather(*lanes)
        finally:
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)

    async def _lane(self, left: Iterator[int]) -> None:
        task, concluded = self.task, CollectedEvents()
        folding = task.refolding(self.pool, concluded)
        try:
            for number in left:
                if self.differences.enough:
                    return
                await self._partition(folding, concluded, number)
        finally:
            await folding.close()

    async def _partition(self, folding: Replay, concluded: CollectedEvents, number: int) -> None:
        """Fold a partition, end its queues, compare it."""
        task, heard = self.task, self.task.projection.hears
        ends, published, last = await task.reference.position(self.pool, folding, number)
        comparison = Comparison(published, last, frozenset(kind.type_name() for kind in heard))
        found = Differences()

        async def compare() -> None:
            """Keep digests of what was concluded: never a partition's events."""
            if unsaid := comparison.take(concluded.drained()):
                if isinstance(task.reference, LiveTables):
                    for _, _, name, _, _ in unsaid:
                        found.add(f"{name} is concluded, and was never published")
                else:
                    await unsaid_events.keep(self.pool, task.new, unsaid)
            if found.enough:
                raise EnoughDiffer

        async def written(step: FoldedBatch) -> None:
            self.folded(step.writes.records)
            await compare()

        whole = True
        try:
            await folding.catch_up(ends, written)
            await task.reference.settle(folding, number)
            await compare()
        except EnoughDiffer:
            whole = False
            concluded.drained()
        values = chain.from_iterable(
            published_log.values_of(folding.reading, (topic, number))
            for topic in folding.derived_on
        )
        await asyncio.to_thread(comparison.end, values, found, whole=whole)
        self.differences.take(found)  # Here: threads of two lanes may end at once.
        self.events += comparison.events
