"""Blue and green: fold the log from its beginning into new tables, compare, switch.

A rebuild is given the log and fresh tables, no relay and no sender: it sends nothing. What it
concludes is compared, byte for byte, with what was published; if anything differs it is refused.
Readers use views that move in one transaction, and running consumers follow (design 4).
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from shared.errors import CannotRun
from shared.runtime import gc_tuning
from shared.runtime.limits import Limits
from shared.runtime.processing.worker import FoldedBatch
from shared.runtime.projection import Projection
from shared.runtime.rebuild import live_position, published_log
from shared.runtime.rebuild.comparison import Differences
from shared.runtime.rebuild.partition_lanes import PartitionLanes, Task
from shared.runtime.rebuild.replay import Replay, Written
from shared.runtime.rebuild.worker_processes import WorkerProcesses
from shared.runtime.storage import table_sets
from shared.runtime.storage.event_sink import CollectedEvents
from shared.runtime.storage.store import PostgresStore

PAUSE = 0.05
WORTH = 100_000  # Records that a process is worth: it takes a second to start.


@dataclass(frozen=True)
class Done:
    """Progress: records folded, records in all, records a second."""

    folded: int
    total: int
    rate: float


@dataclass
class Report:
    """What a rebuild found. `differences` empty: the new tables are live."""

    projection: str
    schema: str
    records: int = 0
    events: int = 0
    seconds: float = 0.0
    workers: int = 1
    starting: float = 0.0  # Seconds, of all, until they had begun.
    differences: list[str] = field(default_factory=list)

    @property
    def switched(self) -> bool:
        """Say whether the new tables took over."""
        return not self.differences


async def rebuild(  # noqa: PLR0913, PLR0917  (each with a good default)
    projection: Projection[Any, Any],
    bootstrap: str,
    database_url: str,
    progress: Callable[[Done], None] = lambda _: None,
    limits: Limits | None = None,
    workers: int = 1,
) -> Report:
    """Rebuild one projection of a running service, to a switch or a refusal.

    `workers` are processes at most, of which each is worth its start. Errors: CannotRun if there
    is nothing live, the log is not whole, a partition stops in it, or the service does not
    publish. The live tables then stay as they are.
    """
    gc_tuning.settle()
    pool = await asyncpg.create_pool(database_url, min_size=1, max_size=4)
    try:
        async with pool.acquire() as connection, connection.transaction():
            live = await table_sets.live_schema(connection, projection.name)
            if live is None:
                message = f"{projection.name} has no live tables to rebuild"
                raise CannotRun(message)
            bounds = limits or Limits()
            new = await table_sets.create(connection, projection, bounds.partitions)
        task = Task(projection, bootstrap, database_url, bounds, live, new)
        return await Rebuild(task, pool, progress, workers).run()
    finally:
        await pool.close()


class Rebuild:
    """One rebuild; see the function."""

    def __init__(
        self,
        task: Task,
        pool: asyncpg.Pool,
        progress: Callable[[Done], None],
        workers: int,
    ) -> None:
        self.task = task
        self.pool = pool
        self.report = Report(task.projection.name, task.new)
        self._progress = progress
        self._workers = workers
        self._began = time.monotonic()
        self._total = 0
        self._differences = Differences()

    async def run(self) -> Report:
        """Fold, compare, switch; leave nothing behind of a rebuild that was refused."""
        switched = False
        try:
            await self._fold_and_compare()
            if not self._differences.shown:
                switched = await self._switch()
        finally:
            await self._drop(None if switched else self.task.new)
        self.report.differences = self._differences.shown
        self.report.seconds = time.monotonic() - self._began
        return self.report

    async def _fold_and_compare(self) -> None:
        """Fold every partition and compare it, in processes if there is enough for them."""
        numbers, topics = range(self.task.limits.partitions), self.task.projection.topics
        live = PostgresStore(self.pool, self.task.projection, self.task.live, CollectedEvents())
        places = [(topic, number) for number in numbers for topic in topics]
        self._total = sum(cursor.next_offset for cursor in await live.cursors(places))
        workers = min(self._workers, 1 + self._total // WORTH)
        if workers > 1:
            await self._fold_apart(workers)
        else:
            lanes = PartitionLanes(self.task, self.pool, self._folded, self._differences)
            await lanes.run(numbers)
            self.report.events = lanes.events

    async def _fold_apart(self, workers: int) -> None:
        crew = WorkerProcesses(self.task, workers, self._folded)
        try:
            await crew.ready()
            self.report.workers = workers
            self.report.starting = time.monotonic() - self._began
            for found in await crew.run():
                self.report.events += found.events
                self._differences.take(found.differences)
        finally:
            crew.end()

    def _folded(self, records: int) -> None:
        """Say how far it is."""
        self.report.records += records
        seconds = max(time.monotonic() - self._began, 0.001)
        self._progress(Done(self.report.records, self._total, self.report.records / seconds))

    async def _switch(self) -> bool:
        """Catch up to where the live tables stand, and take over; False if they differ."""
        concluded = CollectedEvents()
        folding = self.task.refolding(self.pool, concluded)

        def written(step: FoldedBatch) -> None:
            concluded.drained()  # The live tables have it as well: their numbers are compared.
            self._folded(step.writes.records)

        try:
            while not self._differences.shown:
                await folding.catch_up(
                    await live_position.positions(self.pool, self.task.live), written
                )
                if await self._try_switch(folding, written):
                    return True
        finally:
            await folding.close()
        return False

    async def _try_switch(self, folding: Replay, written: Written) -> bool:
        """Hold the live tables, and take over where they stand; False: not at this moment."""
        live, new = self.task.live, self.task.new
        async with self.pool.acquire() as holding, holding.transaction():
            # Every writer shares this row: from here on nobody writes the live tables.
            await holding.execute(
                "SELECT FROM tertib.table_set WHERE schema = $1 FOR UPDATE", live
            )
            ends = await live_position.positions(self.pool, live)
            if not ends or (
                (self.task.own or folding.told_on)
                and not await published_log.wait_until_published(self.pool, 5.0)
            ):
                await asyncio.sleep(PAUSE)
                return False
            await folding.catch_up(ends, written)
            for number in range(self.task.limits.partitions):
                await folding.settle_parked(live, number)
            for said in await live_position.differing_subjects(self.pool, live, new):
                self._differences.add(said)
            if self._differences.shown:
                return False
            await table_sets.switch(holding, self.task.projection, new)
        return True

    async def _drop(self, schema: str | None) -> None:
        """Drop a table set that was refused; after a switch, all but the one it replaced."""
        async with self.pool.acquire() as connection, connection.transaction():
            gone: Sequence[str] = [schema] if schema else []
            if schema is None:
                rows = await connection.fetch(
                    "SELECT schema FROM tertib.table_set WHERE projection = $1 AND NOT live"
                    " AND schema <> $2",
                    self.task.projection.name,
                    self.task.live,
                )
                gone = [row["schema"] for row in rows]
            for each in gone:
                await connection.execute("DELETE FROM tertib.table_set WHERE schema = $1", each)
                await connection.execute(f"DROP SCHEMA IF EXISTS {each} CASCADE")
