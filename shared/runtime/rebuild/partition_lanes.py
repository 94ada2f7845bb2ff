"""The long part of a rebuild: partitions folded anew and compared, in lanes beside one another.

One partition folds while another is written, read or compared. Partitions know nothing of each
other, so that processes may share them (`worker_processes.py`).
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from shared.events.catalogue import KINDS
from shared.runtime.kafka.partition_reader import PartitionReader
from shared.runtime.limits import Limits
from shared.runtime.processing.worker import FoldedBatch
from shared.runtime.projection import Projection
from shared.runtime.rebuild import live_position, published_log
from shared.runtime.rebuild.comparison import Comparison, Differences
from shared.runtime.rebuild.replay import Replay
from shared.runtime.storage.event_sink import CollectedEvents
from shared.runtime.storage.store import PostgresStore

LANES = 2  # One folds, one waits. More would be little faster, and hold more in memory.


@dataclass(frozen=True)
class Task:
    """What is rebuilt, from where; `live` and `new` are schemas. It can be sent to a process."""

    projection: Projection[Any, Any]
    bootstrap: str
    database_url: str
    limits: Limits
    live: str
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

        Errors: CannotRun if the log is not whole, a partition stops in it, or the service does not
        publish.
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
        heard = frozenset(kind.type_name() for kind in task.projection.hears)
        folding = task.refolding(self.pool, concluded)
        try:
            for number in left:
                if self.differences.enough:
                    return
                ends, last = await live_position.position_of(self.pool, task.live, number)
                await published_log.wait_until_published(
                    self.pool
                )  # Also what we told: it is folded as given.
                comparison = Comparison(last, heard)

                def written(step: FoldedBatch, comparison: Comparison = comparison) -> None:
                    comparison.take(concluded.drained())
                    self.folded(step.writes.records)

                await folding.catch_up(ends, written)
                await folding.settle_parked(task.live, number)
                comparison.take(concluded.drained())
                held = asyncio.to_thread(self._compare, folding.reading, comparison, number)
                self.differences.take(await held)  # Here: threads of two lanes may end at once.
                self.events += comparison.events
        finally:
            await folding.close()

    def _compare(
        self, reading: PartitionReader, comparison: Comparison, number: int
    ) -> Differences:
        """Hold what was concluded for a partition against what was published of it. Blocks."""
        service = self.task.projection.service
        derived = {kind.TOPIC for kind in KINDS if service == kind.SERVICE and not kind.TOLD}
        found = Differences()
        for topic in sorted(comparison.topics | derived):
            comparison.hold(published_log.values_of(reading, (topic, number)), found)
        comparison.end(found)
        return found
