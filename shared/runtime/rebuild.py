"""Blue and green: fold the log from its beginning into new tables, compare, switch.

A rebuild is given the log and fresh tables, no relay and no sender: it sends nothing. What it
concludes is compared, byte for byte, with what was published; if anything differs it is refused.
Readers use views that move in one transaction, and running consumers follow (design 4).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from shared.events.catalogue import KINDS
from shared.runtime import heap, published, standing, tableset
from shared.runtime.comparing import Comparison, Differences
from shared.runtime.errors import CannotRun
from shared.runtime.holding import Place
from shared.runtime.limits import Limits
from shared.runtime.projection import Projection
from shared.runtime.reading import Reading
from shared.runtime.refolding import Refolding, Written
from shared.runtime.store import PostgresStore
from shared.runtime.worker import Step
from shared.runtime.writes import Event

PAUSE = 0.05
LANES = 3  # Partitions at a time: one folds, one is written or read, one is compared.


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
        self._differences = Differences()
        told = {kind.TOPIC for kind in KINDS if projection.service == kind.SERVICE}
        self._own = [topic for topic in projection.topics if topic in told]
        self._published = sorted(
            {kind.TOPIC for kind in KINDS if projection.service == kind.SERVICE and not kind.TOLD}
        )

    async def run(self) -> Report:
        """Fold, compare, switch; leave nothing behind of a rebuild that was refused."""
        async with self.pool.acquire() as connection, connection.transaction():
            live = await tableset.live_schema(connection, self.projection.name)
            if live is None:
                message = f"{self.projection.name} has no live tables to rebuild"
                raise CannotRun(message)
            schema = await tableset.create(connection, self.projection, self.limits.partitions)
        self.live = PostgresStore(self.pool, self.projection, live)
        self.report = Report(self.projection.name, schema)
        switched = False
        try:
            await self._fold_and_compare()
            if not self._differences.shown:
                switched = await self._switch()
        finally:
            await self._drop(None if switched else schema)
        self.report.differences = self._differences.shown
        self.report.seconds = time.monotonic() - self._began
        return self.report

    async def _fold_and_compare(self) -> None:
        """Fold every partition and compare it: in lanes, so that one folds while another waits."""
        self._total = sum(row.next_offset for row in await self.live.cursors(self._places()))
        numbers = iter(range(self.limits.partitions))
        lanes = [asyncio.create_task(self._lane(numbers)) for _ in range(LANES)]
        try:
            await asyncio.gather(*lanes)
        finally:
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)

    def _places(self) -> list[Place]:
        numbers = range(self.limits.partitions)
        return [(topic, number) for number in numbers for topic in self.projection.topics]

    async def _lane(self, numbers: Iterator[int]) -> None:
        """Take one partition after the other, until none is left or enough is different."""
        heard = frozenset(kind.type_name() for kind in self.projection.hears)
        async with self._refolding() as (folding, concluded):
            for number in numbers:
                if self._differences.enough:
                    return
                ends, last = await standing.of_partition(self.pool, self.live.schema, number)
                comparison = Comparison(last, heard)

                def written(step: Step, comparison: Comparison = comparison) -> None:
                    comparison.take(concluded)  # Digests: never a partition's events.
                    concluded.clear()
                    self._count(step)

                await folding.catch_up(ends, written)
                await folding.settle_parked(self.live.schema, number)
                comparison.take(concluded)
                concluded.clear()
                await published.complete(self.pool)
                await asyncio.to_thread(self._compare, folding.reading, comparison, number)
                self.report.events += comparison.events

    @asynccontextmanager
    async def _refolding(self) -> AsyncIterator[tuple[Refolding, list[Event]]]:
        """Give a fold into the new tables, and the list into which it concludes."""
        concluded: list[Event] = []
        store = PostgresStore(self.pool, self.projection, self.report.schema, concluded)
        folding = Refolding(store, self._bootstrap, self._own, self.limits)
        try:
            yield folding, concluded
        finally:
            await folding.close()

    def _count(self, step: Step) -> None:
        """Say how far it is."""
        self.report.records += step.writes.records
        seconds = max(time.monotonic() - self._began, 0.001)
        self._progress(Done(self.report.records, self._total, self.report.records / seconds))

    def _compare(self, reading: Reading, comparison: Comparison, number: int) -> None:
        """Hold what was concluded for a partition against what was published of it. Blocks."""
        for topic in sorted({*comparison.topics, *self._published}):
            comparison.hold(published.values_of(reading, (topic, number)), self._differences)
        comparison.end(self._differences)

    async def _switch(self) -> bool:
        """Catch up to where the live tables stand, and take over; False if they differ."""
        async with self._refolding() as (folding, concluded):

            def written(step: Step) -> None:
                concluded.clear()  # The live tables have it as well: their numbers are compared.
                self._count(step)

            while not self._differences.shown:
                await folding.catch_up(await standing.of_all(self.pool, self.live.schema), written)
                if await self._try_switch(folding, written):
                    return True
        return False

    async def _try_switch(self, folding: Refolding, written: Written) -> bool:
        """Hold the live tables, and take over where they stand; False: not at this moment."""
        live, new = self.live.schema, self.report.schema
        async with self.pool.acquire() as holding, holding.transaction():
            # Every writer shares this row: from here on nobody writes the live tables.
            await holding.execute(
                "SELECT FROM tertib.table_set WHERE schema = $1 FOR UPDATE", live
            )
            ends = await standing.of_all(self.pool, live)
            if not ends or (
                (self._own or folding.told_on) and not await published.complete(self.pool, 5.0)
            ):
                await asyncio.sleep(PAUSE)
                return False
            await folding.catch_up(ends, written)
            for number in range(self.limits.partitions):
                await folding.settle_parked(live, number)
            for said in await standing.differing_subjects(self.pool, live, new):
                self._differences.add(said)
            if self._differences.shown:
                return False
            await tableset.switch(holding, self.projection, new)
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
