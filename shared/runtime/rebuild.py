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

from shared.events.catalogue import KINDS
from shared.runtime import heap, published, standing, tableset
from shared.runtime.comparing import Comparison, Differences
from shared.runtime.errors import CannotRun
from shared.runtime.limits import Limits
from shared.runtime.projection import Projection
from shared.runtime.refolding import Refolding
from shared.runtime.store import PostgresStore
from shared.runtime.worker import Step
from shared.runtime.writes import Event

PAUSE = 0.05


@dataclass(frozen=True)
class Done:
    """Progress: records folded, records in all, records a second."""

    folded: int
    total: int
    rate: float

    @property
    def seconds_left(self) -> float:
        """Estimate what is left."""
        return (self.total - self.folded) / self.rate if self.rate else 0.0


@dataclass
class Report:
    """What a rebuild found. `differences` empty: the new tables are live."""

    projection: str
    schema: str
    records: int = 0
    events: int = 0
    seconds: float = 0.0
    differences: list[str] = field(default_factory=list)

    @property
    def switched(self) -> bool:
        """Say whether the new tables took over."""
        return not self.differences


async def rebuild(
    projection: Projection[Any, Any],
    bootstrap: str,
    database_url: str,
    progress: Callable[[Done], None] = lambda _: None,
    limits: Limits | None = None,
) -> Report:
    """Rebuild one projection of a running service, to a switch or a refusal.

    Errors: CannotRun if there is nothing live, the log is not whole, a partition stops in it, or
    the service does not publish. The live tables then stay as they are.
    """
    heap.settle()
    pool = await asyncpg.create_pool(database_url, min_size=1, max_size=4)
    try:
        return await Rebuild(projection, bootstrap, pool, limits or Limits(), progress).run()
    finally:
        await pool.close()


class Rebuild:
    """One rebuild; see the function."""

    def __init__(
        self,
        projection: Projection[Any, Any],
        bootstrap: str,
        pool: asyncpg.Pool,
        limits: Limits,
        progress: Callable[[Done], None],
    ) -> None:
        self.projection = projection
        self.pool = pool
        self.limits = limits
        self._bootstrap = bootstrap
        self._progress = progress
        self._began = time.monotonic()
        self._total = 0
        self._concluded: list[Event] = []
        self._comparison: Comparison | None = None
        self._differences = Differences()
        told = {kind.TOPIC for kind in KINDS if projection.service == kind.SERVICE}
        self._own = [topic for topic in projection.topics if topic in told]

    async def run(self) -> Report:
        """Fold, compare, switch; leave nothing behind of a rebuild that was refused."""
        async with self.pool.acquire() as connection, connection.transaction():
            live = await tableset.live_schema(connection, self.projection.name)
            if live is None:
                message = f"{self.projection.name} has no live tables to rebuild"
                raise CannotRun(message)
            schema = await tableset.create(connection, self.projection, self.limits.partitions)
        self.live = PostgresStore(self.pool, self.projection, live)
        self.new = PostgresStore(self.pool, self.projection, schema, self._concluded)
        self.folding = Refolding(self.new, self._bootstrap, self._own, self.limits, self._written)
        self.report = Report(self.projection.name, schema)
        switched = False
        try:
            await self._fold_and_compare()
            while not self._differences.shown and not switched:
                switched = await self._try_switch()
        finally:
            await self._drop(None if switched else schema)
        self.report.differences = self._differences.shown
        self.report.seconds = time.monotonic() - self._began
        return self.report

    async def _fold_and_compare(self) -> None:
        numbers = range(self.limits.partitions)
        places = [(topic, n) for n in numbers for topic in self.folding.topics]
        self._total = sum(row.next_offset for row in await self.live.cursors(places))
        heard = frozenset(kind.type_name() for kind in self.projection.hears)
        comparing: asyncio.Task[None] | None = None  # One partition, while the next is folded.
        try:
            for number in numbers:
                ends, last = await standing.of_partition(self.pool, self.live.schema, number)
                await published.complete(self.pool)
                comparison = self._comparison = Comparison(last, heard)
                await self.folding.catch_up(ends)
                await self.folding.settle_parked(self.live.schema, number)
                self._take_concluded()
                self._comparison = None
                if comparing is not None:
                    await comparing
                if self._differences.enough:
                    return
                comparing = asyncio.create_task(self._compare(comparison, number))
        finally:
            if comparing is not None:
                await comparing

    def _written(self, step: Step) -> None:
        """Take what a step concluded, and say how far it is."""
        self._take_concluded()
        self.report.records += step.writes.records
        seconds = max(time.monotonic() - self._began, 0.001)
        self._progress(Done(self.report.records, self._total, self.report.records / seconds))

    def _take_concluded(self) -> None:
        """Keep digests of what was concluded, or nothing of it: never a partition's events."""
        if self._comparison is not None:
            self._comparison.take(self._concluded)
        self._concluded.clear()

    async def _compare(self, comparison: Comparison, number: int) -> None:
        """Hold what was concluded for a partition against what was published of it."""
        self.report.events += comparison.events
        service = self.projection.service
        derived = {kind.TOPIC for kind in KINDS if service == kind.SERVICE and not kind.TOLD}
        places = [(topic, number) for topic in sorted(comparison.topics | derived)]
        await published.hold(self._bootstrap, places, comparison, self._differences)
        comparison.end(self._differences)

    async def _try_switch(self) -> bool:
        """Hold the live tables, catch up to where they stand, and take over; False: try again."""
        live = self.live.schema
        await self.folding.catch_up(await standing.of_all(self.pool, live))
        async with self.pool.acquire() as holding, holding.transaction():
            # Every writer shares this row: from here on nobody writes the live tables.
            await holding.execute(
                "SELECT FROM tertib.table_set WHERE schema = $1 FOR UPDATE", live
            )
            ends = await standing.of_all(self.pool, live)
            if not ends or (
                (self._own or self.folding.told_on)
                and not await published.complete(self.pool, 5.0)
            ):
                await asyncio.sleep(PAUSE)
                return False
            await self.folding.catch_up(ends)
            for number in range(self.limits.partitions):
                await self.folding.settle_parked(live, number)
            self._take_concluded()
            for said in await standing.differing_subjects(self.pool, live, self.new.schema):
                self._differences.add(said)
            if self._differences.shown:
                return False
            await tableset.switch(holding, self.projection, self.new.schema)
        return True

    async def _drop(self, schema: str | None) -> None:
        """Drop a table set that was refused; after a switch, all but the one it replaced."""
        async with self.pool.acquire() as connection, connection.transaction():
            gone: Sequence[str] = [schema] if schema else []
            if schema is None:
                rows = await connection.fetch(
                    "SELECT schema FROM tertib.table_set WHERE projection = $1 AND NOT live"
                    " AND schema <> $2",
                    self.projection.name,
                    self.live.schema,
                )
                gone = [row["schema"] for row in rows]
            for each in gone:
                await connection.execute("DELETE FROM tertib.table_set WHERE schema = $1", each)
                await connection.execute(f"DROP SCHEMA IF EXISTS {each} CASCADE")
