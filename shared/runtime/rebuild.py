"""Blue and green: fold the log from its beginning into new tables, compare, switch.

A rebuild is given the log and fresh tables, no relay and no sender: it sends nothing. What it
concludes is compared, byte for byte, with what was published; if anything differs it is refused.
Readers use views that move in one transaction, and running consumers follow (design 4).
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from confluent_kafka import KafkaError, KafkaException

from shared.events.catalogue import KINDS
from shared.runtime import heap, parking, tableset
from shared.runtime.batch import Spoilt
from shared.runtime.comparing import Comparison, Differences
from shared.runtime.errors import CannotRun
from shared.runtime.holding import Partition, Place
from shared.runtime.limits import Limits
from shared.runtime.projection import Projection
from shared.runtime.reading import Reading, Record
from shared.runtime.store import PostgresStore
from shared.runtime.worker import Step, Worker
from shared.runtime.writes import Event

RELAY_SECONDS = 60.0  # To publish what was concluded just now; a relay that runs takes one.
PAUSE = 0.05
NO_TOPIC = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001  (its name)
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001  (its name)
)
TRIES = 100

_UNSENT = """
SELECT EXISTS (
    SELECT FROM tertib.events e, tertib.relay_cursor c WHERE (e.xid, e.id) > (c.xid, c.id))
"""


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
        self._differences = Differences()
        told = {kind.TOPIC for kind in KINDS if projection.service == kind.SERVICE}
        self._own = [topic for topic in projection.topics if topic in told]
        # Its own stream first: what was told is folded as given, and not concluded beside it.
        self._topics = [*self._own, *(t for t in projection.topics if t not in self._own)]

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
        self.worker = Worker(self.projection, self.limits)
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

    # Folding.

    async def _fold_and_compare(self) -> None:
        places = [(topic, n) for n in range(self.limits.partitions) for topic in self._topics]
        self._total = sum(row.next_offset for row in await self.live.cursors(places))
        for number in range(self.limits.partitions):
            ends, last = await self._standing(number)
            await self._published()
            await self._catch_up(ends)
            await self._settle_parked(number)
            await self._compare(number, last)
            self._concluded.clear()
            if self._differences.enough:
                return

    async def _standing(self, number: int) -> tuple[dict[Place, int], dict[str, int]]:
        """Say where a partition stands live, and the last number of each subject, as of then."""
        for _ in range(TRIES):
            async with (
                self.pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                rows = await connection.fetch(
                    "SELECT topic, next_offset, last_subject"
                    f" FROM {self.live.schema}.cursors WHERE partition = $1",
                    number,
                )
                last = await connection.fetch(
                    f"SELECT subject, last_seq FROM {self.live.schema}.subjects"
                    " WHERE partition = $1",
                    number,
                )
            if not any(row["last_subject"] for row in rows):
                ends = {(row["topic"], number): row["next_offset"] for row in rows}
                return ends, {row["subject"]: row["last_seq"] for row in last}
            await asyncio.sleep(PAUSE)  # In the middle of a broadcast: a moment later it is done.
        message = f"partition {number} stands in the middle of a broadcast"
        raise CannotRun(message)

    async def _catch_up(self, ends: Mapping[Place, int]) -> None:
        """Fold partitions up to where they stand live; our own stream to its end."""
        numbers = {number for _, number in ends}
        for place in [(topic, number) for number in sorted(numbers) for topic in self._topics]:
            reading = Reading(self._bootstrap, place)
            try:
                begin, after = await asyncio.to_thread(reading.ends)
                end = after if place[0] in self._own else ends[place]
                (cursor,) = await self.new.cursors([place])
                if end > after or (begin > cursor.next_offset < end):
                    message = f"the log of {place[0]}/{place[1]} is not whole: {begin} to {after}"
                    raise CannotRun(message)
                await self._fold_to(reading, end)
            finally:
                await asyncio.to_thread(reading.close)

    async def _fold_to(self, reading: Reading, end: int) -> None:
        """Fold one partition from its cursor up to an offset; after a spoilt record, again."""
        place = reading.place
        while True:
            (part,) = await self.new.partitions(await self.new.cursors([place]), self.limits)
            try:
                await self._fold_through(reading, part, end)
            except Spoilt as spoilt:
                self.worker.mark(spoilt)
                self.worker.forget()
            else:
                return

    async def _fold_through(self, reading: Reading, part: Partition, end: int) -> None:
        """Fold one partition up to an offset: what is next is read, and what was last is written.

        Errors: Spoilt: what was folded and is not written is void.
        """
        place, at = part.place, part.next_offset
        ahead: asyncio.Task[list[Record]] | None = None
        writing: asyncio.Task[None] | None = None
        try:
            while at < end or ahead is not None:
                records = await (ahead or asyncio.to_thread(reading.read, at, end))
                at, ahead = records[-1].offset + 1, None
                if at < end:
                    ahead = asyncio.create_task(asyncio.to_thread(reading.read, at, end))
                left: Sequence[Record] = records
                while left:
                    step = await self._step(part, left, writing)
                    writing = asyncio.create_task(self._write(step))
                    left = step.left.get(place, ())
            if writing is not None:
                await writing
        finally:
            await asyncio.gather(*filter(None, (ahead, writing)), return_exceptions=True)

    async def _step(
        self, part: Partition, records: Sequence[Record], writing: asyncio.Task[None] | None
    ) -> Step:
        """Fold a transaction's worth while the one before is written, and wait for that."""
        if self.worker.is_full:
            if writing is not None:
                await writing
            self.worker.trim()
        step = await self.worker.fold(self.new, {part.place: part}, {part.place: records})
        if writing is not None:
            await writing
        if step.stops:
            message = f"{part.topic}/{part.number} stops: {step.stops[part.place]}"
            raise CannotRun(message)
        return step

    async def _write(self, step: Step) -> None:
        await self.worker.commit(self.new, step)
        self.report.records += step.writes.records
        self._tell()

    def _tell(self) -> None:
        seconds = max(time.monotonic() - self._began, 0.001)
        self._progress(Done(self.report.records, self._total, self.report.records / seconds))

    async def _settle_parked(self, number: int) -> None:
        """Discard and retry what was discarded and retried live: the queues end alike."""
        old, new = self.live.schema, self.new.schema
        await self.pool.execute(
            f"UPDATE {new}.parked n SET state = 'discarded' FROM {old}.parked o"
            " WHERE n.partition = $1 AND o.state = 'discarded' AND n.subject = o.subject"
            ' AND n.topic = o.topic AND n.partition = o.partition AND n."offset" = o."offset"',
            number,
        )
        # Applied is what does not wait live: it was retried there, or never had to wait.
        rows = await self.pool.fetch(
            f"SELECT n.subject, array_remove(array_agg(w.id), NULL) AS keep"
            f" FROM {new}.subjects n JOIN {old}.subjects o USING (subject)"
            f" LEFT JOIN ({new}.parked w JOIN {old}.parked l USING (subject, topic, partition,"
            " \"offset\")) ON w.subject = n.subject AND w.state = 'waiting' AND l.state = w.state"
            " WHERE n.parked AND n.partition = $1 GROUP BY n.subject, o.parked"
            f" HAVING NOT o.parked OR count(w.id) < (SELECT count(*) FROM {new}.parked a"
            " WHERE a.subject = n.subject AND a.state = 'waiting') ORDER BY n.subject",
            number,
        )
        for row in rows:
            await parking.retry(self.new, row["subject"], "rebuild", keep=row["keep"])
        self.worker.forget()

    # Comparing.

    async def _published(self, seconds: float = RELAY_SECONDS) -> bool:
        """Wait until everything that was concluded is published: there is something to compare.

        Errors: CannotRun if that takes too long; False if a shorter time was given.
        """
        if not await self.pool.fetchval("SELECT EXISTS (SELECT FROM tertib.events)"):
            return True
        until = time.monotonic() + seconds
        while not await self._relay_has_begun() or await self.pool.fetchval(_UNSENT):
            if time.monotonic() > until:
                if seconds < RELAY_SECONDS:
                    return False
                message = "what was concluded is not published: start the service first"
                raise CannotRun(message)
            await asyncio.sleep(PAUSE)
        return True

    async def _relay_has_begun(self) -> bool:
        there = await self.pool.fetchval("SELECT to_regclass('tertib.relay_cursor') IS NOT NULL")
        return bool(there)

    async def _compare(self, number: int, last: Mapping[str, int]) -> None:
        """Hold what was concluded for a partition against what was published of it."""
        heard = frozenset(kind.type_name() for kind in self.projection.hears)
        comparison = Comparison(self._concluded, last, heard)
        self.report.events += comparison.events
        for topic in sorted(comparison.topics | self._derived_topics()):
            await asyncio.to_thread(self._hold, comparison, (topic, number))
        comparison.end(self._differences)

    def _hold(self, comparison: Comparison, place: Place) -> None:
        reading = Reading(self._bootstrap, place)
        try:
            comparison.hold(reading.all(*reading.ends()), self._differences)
        except KafkaException as error:
            if error.args[0].code() not in NO_TOPIC:  # Nothing of it was ever published.
                raise
        finally:
            reading.close()

    def _derived_topics(self) -> set[str]:
        service = self.projection.service
        return {kind.TOPIC for kind in KINDS if service == kind.SERVICE and not kind.TOLD}

    # Switching.

    async def _try_switch(self) -> bool:
        """Hold the live tables, catch up to where they stand, and take over; False: try again."""
        await self._catch_up(await self._ends())
        async with self.pool.acquire() as holding, holding.transaction():
            # Every writer shares this row: from here on nobody writes the live tables.
            await holding.execute(
                "SELECT FROM tertib.table_set WHERE schema = $1 FOR UPDATE", self.live.schema
            )
            ends = await self._ends()
            if not ends or (self._own and not await self._published(5.0)):
                await asyncio.sleep(PAUSE)
                return False
            await self._catch_up(ends)
            for number in range(self.limits.partitions):
                await self._settle_parked(number)
            self._concluded.clear()
            await self._compare_subjects()
            if self._differences.shown:
                return False
            await tableset.switch(holding, self.projection, self.new.schema)
        return True

    async def _ends(self) -> dict[Place, int]:
        """Say where the live set stands; nothing while it is in the middle of a broadcast."""
        rows = await self.pool.fetch(
            f"SELECT topic, partition, next_offset, last_subject FROM {self.live.schema}.cursors"
        )
        if any(row["last_subject"] for row in rows):
            return {}
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    async def _compare_subjects(self) -> None:
        """Hold every subject's last number and its parking against the live ones."""
        rows = await self.pool.fetch(
            "SELECT subject, o.last_seq AS old, n.last_seq AS new"
            f" FROM {self.live.schema}.subjects o FULL JOIN {self.new.schema}.subjects n"
            " USING (subject) WHERE (o.last_seq, o.parked) IS DISTINCT FROM (n.last_seq, n.parked)"
            " ORDER BY subject LIMIT 10"
        )
        for row in rows:
            said = f"{row['subject']} stands at number {row['old']}, and anew at {row['new']}"
            self._differences.add(said)

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
