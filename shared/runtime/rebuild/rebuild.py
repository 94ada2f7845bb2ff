"""Blue and green: fold the log from its beginning into new tables, compare, switch.

A rebuild is given the log and fresh tables, no relay and no sender: it sends nothing. What it
concludes is compared, byte for byte, with what was published; if anything differs it is refused.
Readers use views that move in one transaction, and running consumers follow (design 4).
"""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg

from shared.errors import CannotRunError
from shared.runtime import gc_tuning
from shared.runtime.limits import Limits
from shared.runtime.processing.worker import FoldedBatch
from shared.runtime.projection import Projection
from shared.runtime.rebuild import live_position, published_log
from shared.runtime.rebuild.partition_lanes import Task
from shared.runtime.rebuild.reference import LiveTables
from shared.runtime.rebuild.refolding import Done, Refolding, Report
from shared.runtime.rebuild.replay import Replay, Written
from shared.runtime.storage import table_sets
from shared.runtime.storage.event_sink import CollectedEvents

PAUSE = 0.05


async def rebuild(  # noqa: PLR0913, PLR0917  (each with a good default)
    projection: Projection[Any, Any],
    bootstrap: str,
    database_url: str,
    progress: Callable[[Done], None] = lambda _: None,
    limits: Limits | None = None,
    workers: int = 1,
) -> Report:
    """Rebuild one projection of a running service, to a switch or a refusal.

    `workers` are processes at most, of which each is worth its start. Errors: CannotRunError if
    there is nothing live, the log is not whole, a partition stops in it, or the service does not
    publish. The live tables then stay as they are.
    """
    gc_tuning.settle()
    pool = await asyncpg.create_pool(database_url, min_size=1, max_size=4)
    try:
        async with pool.acquire() as connection, connection.transaction():
            live = await table_sets.live_schema(connection, projection.name)
            if live is None:
                message = f"{projection.name} has no live tables to rebuild"
                raise CannotRunError(message)
            bounds = limits or Limits()
            new = await table_sets.create(connection, projection, bounds.partitions)
        task = Task(projection, bootstrap, database_url, bounds, LiveTables(live), new)
        return await Rebuild(task, live, pool, progress, workers).run()
    finally:
        await pool.close()


class Rebuild:
    """One rebuild; see the function. `live` is the schema of the tables in use."""

    def __init__(
        self,
        task: Task,
        live: str,
        pool: asyncpg.Pool,
        progress: Callable[[Done], None],
        workers: int,
    ) -> None:
        self.task = task
        self.live = live
        self.pool = pool
        self._refolding = Refolding(task, pool, progress, workers)

    async def run(self) -> Report:
        """Fold, compare, switch; leave nothing behind of a rebuild that was refused."""
        switched = False
        try:
            done = await live_position.positions(self.pool, self.live, whole=False)
            await self._refolding.run(sum(done.values()))
            if not self._refolding.differences.shown:
                switched = await self._switch()
        finally:
            name, new = self.task.projection.name, self.task.new
            async with self.pool.acquire() as connection, connection.transaction():
                if switched:
                    await table_sets.drop_others(connection, name, self.live)
                else:
                    await table_sets.drop(connection, new)
        return self._refolding.finished()

    async def _switch(self) -> bool:
        """Catch up to where the live tables stand, and take over; False if they differ."""
        concluded = CollectedEvents()
        folding = self.task.refolding(self.pool, concluded)

        async def written(step: FoldedBatch) -> None:
            concluded.drained()  # The live tables have it as well: their numbers are compared.
            self._refolding.folded(step.writes.records)

        try:
            while not self._refolding.differences.shown:
                await folding.catch_up(
                    await live_position.positions(self.pool, self.live), written
                )
                if await self._try_switch(folding, written):
                    return True
        finally:
            await folding.close()
        return False

    async def _try_switch(self, folding: Replay, written: Written) -> bool:
        """Hold the live tables, and take over where they stand; False: not at this moment."""
        live, new = self.live, self.task.new
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
                self._refolding.differences.add(said)
            if self._refolding.differences.shown:
                return False
            await table_sets.switch(holding, self.task.projection, new)
        return True
