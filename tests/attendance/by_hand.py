"""The real runner of the assessor, its records handed to it: a log in memory, a real PostgreSQL.

Only FastStream and aiokafka are missing. What they may do to a member is done by hand: batches cut
anywhere, over several partitions, records that come again, a position that jumps, a restart.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiokafka
import asyncpg

from services.attendance.projection.assessor import Assessor
from services.attendance.projection.tables import FACTS, THRESHOLDS, WORKDAYS
from shared.events.attendance import EVENTS
from shared.events.attendance import FACTS as TOPIC
from shared.events.envelope import Envelope, canonical
from shared.runtime.consumer.assignment import PartitionAssignment
from shared.runtime.consumer.runner import Runner
from shared.runtime.limits import Limits
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.in_memory import InMemoryProjection
from shared.runtime.processing.write_batch import WriteBatch
from shared.runtime.projection import Changes, Load, Row
from shared.runtime.storage import table_sets
from shared.runtime.storage.outbox_sink import LiveOutbox
from shared.runtime.storage.store import PostgresStore
from tests.kit.toy_facts import Record, log_of

PARTITIONS = 2
TABLES = (FACTS.name, WORKDAYS.name, THRESHOLDS.name)


@dataclass(frozen=True)
class Left:
    """What a log leaves behind: rows by table, and per subject the bytes of its events."""

    rows: Mapping[str, Sequence[Row]]
    told: Mapping[str, Sequence[bytes]]


def concluded(facts: Iterable[Envelope], assessor: Assessor | None = None) -> Left:
    """Fold a log by the pure domain, one fact after the other: what any runner must leave."""
    folding = InMemoryProjection(assessor or Assessor(forgets=False), keep_rows=True)
    told: dict[str, list[bytes]] = {}
    for fact in facts:
        for event in folding.hear(fact):
            told.setdefault(event.subject, []).append(canonical(event))
    return Left({name: sorted(folding.rows(name), key=_key) for name in TABLES}, told)


def _key(row: Row) -> Row:
    return row[:2]


def placed(facts: Iterable[Envelope]) -> dict[TopicPartition, list[Record]]:
    """Lay facts on a log: people by turns on its partitions, broadcasts on each."""
    numbers: dict[str, int] = {}
    said: list[list[Envelope]] = [[] for _ in range(PARTITIONS)]
    for fact in facts:
        if fact.broadcastseq is not None:
            for partition in said:
                partition.append(fact)
        else:
            said[numbers.setdefault(fact.subject, len(numbers) % PARTITIONS)].append(fact)
    return {(TOPIC, n): log_of(TOPIC, n, each) for n, each in enumerate(said)}


@dataclass
class Reel:
    """What a runner takes for aiokafka's consumer: a log, and where reading stands."""

    log: Mapping[TopicPartition, Sequence[Record]]
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)

    async def beginning_offsets(self, partitions: Iterable[Any]) -> dict[Any, int]:
        return dict.fromkeys(partitions, 0)

    async def end_offsets(self, partitions: Iterable[Any]) -> dict[Any, int]:
        return {partition: len(self.log[tuple(partition)]) for partition in partitions}

    @property
    def is_read(self) -> bool:
        """Say whether everything was handed out."""
        return all(at == len(self.log[place]) for place, at in self.positions.items())

    def pause(self, *partitions: Any) -> None:
        """Let nothing come of these until they are sought."""
        for partition in partitions:
            self.positions.pop(tuple(partition), None)

    def resume(self, *partitions: Any) -> None:
        """Nothing: they were sought."""

    def seek(self, partition: Any, offset: int) -> None:
        self.positions[tuple(partition)] = offset

    def next(self, dice: Random, most: int) -> list[Record]:
        """Give the next batch, of a few partitions; sometimes from somewhere else than awaited."""
        batch: list[Record] = []
        for place in dice.sample(sorted(self.positions), dice.randint(1, len(self.positions))):
            at, how = self.positions[place], dice.random()
            if how < 0.15:
                begin = max(0, at - dice.randint(1, 2 * most))
                self.seen["again"] += begin < at
            elif how < 0.2:
                begin = at + dice.randint(1, most)
                self.seen["jumped"] += begin < len(self.log[place])
            else:
                begin = at
            some = self.log[place][begin : begin + dice.randint(1, most)]
            self.positions[place] = max(at, begin + len(some)) if some else at
            batch += some
        return batch


class Watched(PostgresStore):
    """Counts transactions that end within a broadcast, repetitions, and looks at older rows."""

    seen: Counter[str]

    async def older(self, load: Load, subject: str) -> list[Row]:
        self.seen["older"] += 1
        return await super().older(load, subject)

    async def commit(self, writes: WriteBatch, rows: Mapping[str, Changes]) -> None:
        await super().commit(writes, rows)
        self.seen["ignored"] += writes.ignored
        self.seen["sliced"] += any(cursor.last_subject for cursor in writes.cursors.values())


class Fed(Runner):
    """A member that is handed its batches; all the rest is the runner's."""

    async def begin(self, pool: asyncpg.Pool, reel: Reel) -> None:
        """Claim all partitions of a reel."""
        async with pool.acquire() as connection:
            schema = await table_sets.ensure(connection, self.projection, PARTITIONS)
        store = Watched(pool, self.projection, schema, LiveOutbox())
        store.seen = reel.seen
        self.cursors = PartitionAssignment(
            store,
            self.limits,
            "by hand",
            self.progress,
            forget=self._worker.forget,
            consumer=lambda: reel,
        )
        self.cursors.claimed = self._drain_gaps
        await self.cursors.on_partitions_assigned(
            [aiokafka.TopicPartition(*place) for place in reel.log]
        )
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.progress.claimed) == len(reel.log))

    async def take(self, batch: Sequence[Record]) -> None:
        """Take a batch; its last transaction may still be under way."""
        await self._take(batch)
        await asyncio.sleep(0)  # A poll would let the tasks beside it have their turn as well.

    async def written(self) -> None:
        """Wait until all that was taken is written."""
        await self._pending.done()

    async def leave(self) -> None:
        """End, as a process that is asked to."""
        await self.written()
        await self.cursors.close()

    @property
    def states(self) -> dict[str, Any]:
        """Give the people in memory."""
        return {name: entry.state for name, entry in self._worker.entries.items()}

    @property
    def is_done(self) -> bool:
        """Say whether every cursor stands at the end of the log."""
        log = self.consumer.log
        return all(self.progress.claimed.get(place) == len(log[place]) for place in log)

    @property
    def consumer(self) -> Any:
        return self.cursors.consumer


async def take_by_turns(pool: asyncpg.Pool, facts: Sequence[Envelope], dice: Random) -> None:
    """Let one member take half of a log, and another the rest."""
    reel = Reel(placed(facts))
    for end in (len(facts) // 4, None):
        member = Fed(Assessor(), "", "", limits())
        await member.begin(pool, reel)
        while not (member.is_done or (end and max(reel.positions.values()) > end)):
            await member.take(reel.next(dice, 500))
            if reel.is_read:
                await member.written()
        assert member.progress.stopped == {}
        await member.leave()


async def emptied(connection: asyncpg.Connection) -> None:
    """Throw the tables of an earlier run away."""
    schemas = await connection.fetch(
        "SELECT nspname FROM pg_namespace WHERE nspname IN ('tertib', 'read')"
        " OR nspname LIKE 'attendance_assessor_%'"
    )
    for (schema,) in schemas:
        await connection.execute(f"DROP SCHEMA {schema} CASCADE")


async def left_in(connection: asyncpg.Connection) -> Left:
    """Give what the tables and the outbox hold."""
    rows = {}
    for name in TABLES:
        found = await connection.fetch(f"SELECT * FROM read.{name}")  # noqa: S608  (its own name)
        rows[name] = sorted((tuple(row) for row in found), key=_key)
    told: dict[str, list[bytes]] = {}
    for key, value in await connection.fetch(
        "SELECT key, payload FROM tertib.events WHERE topic = $1 ORDER BY xid, id", EVENTS
    ):
        told.setdefault(key, []).append(value)
    return Left(rows, told)


def limits(**some: int) -> Limits:
    """Give the limits of a run by hand."""
    return Limits(partitions=PARTITIONS, **some)
