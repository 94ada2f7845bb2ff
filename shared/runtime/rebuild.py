"""Blue and green: fold the log from its beginning into new tables, compare, switch.

A rebuild is given the log and fresh tables, no relay and no sender: it sends nothing. What it
concludes is compared, byte for byte, with what was published; if anything differs it is refused.
Readers use views that move in one transaction, and running consumers follow (design 4).
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from shared.events.catalogue import BY_TYPE
from shared.runtime import parking, tableset
from shared.runtime.batch import Folding, Halt, Partition, Poison
from shared.runtime.limits import Limits
from shared.runtime.memory import Memory
from shared.runtime.projection import Projection
from shared.runtime.store import Event, Store

SHOWN = 10  # Differences that a refusal shows: enough to see the kind.
CHUNK = 5_000

Place = tuple[str, int]


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


class Rebuild:
    """One rebuild of one projection, from the log's beginning to a switch or a refusal."""

    def __init__(
        self,
        projection: Projection[Any, Any],
        bootstrap: str,
        pool: asyncpg.Pool,
        *,
        limits: Limits | None = None,
        progress: Callable[[Done], None] = lambda _: None,
    ) -> None:
        self.projection = projection
        self.pool = pool
        self.limits = limits or Limits()
        self._bootstrap = bootstrap
        self._progress = progress
        self._poison: dict[tuple[str, int, int], tuple[str, str]] = {}
        self._began = time.monotonic()
        self._total = 0

    async def run(self) -> Report:
        """Fold, compare, switch. Errors: RuntimeError if there is nothing live to rebuild."""
        async with self.pool.acquire() as connection, connection.transaction():
            live = await tableset.live_schema(connection, self.projection.name)
            if live is None:
                raise RuntimeError(f"{self.projection.name} has no live tables to rebuild")
            schema = await tableset.create(connection, self.projection, self.limits.partitions)
        self.concluded: list[Event] = []
        self.store = Store(self.pool, self.projection, schema, self.concluded)
        self.live = Store(self.pool, self.projection, live)
        self.report = Report(self.projection.name, schema)
        try:
            await self._fold_and_compare()
            if not self.report.differences:
                await self._switch()
        finally:
            if self.report.differences or not await self._is_live(schema):
                await self._drop(schema)
        self.report.seconds = time.monotonic() - self._began
        return self.report

    async def _is_live(self, schema: str) -> bool:
        async with self.pool.acquire() as connection:
            return await tableset.live_schema(connection, self.projection.name) == schema

    async def _drop(self, schema: str) -> None:
        """Leave nothing of a rebuild that was refused, or interrupted."""
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute("DELETE FROM tertib.table_set WHERE schema = $1", schema)
            await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")

    # Folding.

    async def _fold_and_compare(self) -> None:
        ends = await self._cursors(self.live)
        self._total = sum(ends.values())
        await self._relayed()
        for number in range(self.limits.partitions):
            for topic in self.projection.topics:
                await self._fold_to(topic, number, ends[topic, number])
            await self._settle_parked(number)
            await self._compare(number)
            self.concluded.clear()
            if len(self.report.differences) >= SHOWN:
                return

    async def _fold_to(self, topic: str, number: int, end: int) -> None:
        """Fold one partition from its cursor up to an offset."""
        (row,) = await self.store.claim(topic, [number], "rebuild")
        held = await self.store.partition(topic, row)
        memory = Memory(self.projection)
        reading = _Reading(self._bootstrap, topic, number)
        try:
            while held.next_offset < end:
                records = await asyncio.to_thread(reading.read, held.next_offset, end)
                while records:
                    held, memory, records = await self._chunk(held, memory, records)
                self._tell(held)
        finally:
            reading.close()

    async def _chunk(
        self, held: Partition, memory: Memory, records: Sequence[Any]
    ) -> tuple[Partition, Memory, Sequence[Any]]:
        """Fold one transaction's worth; give what is left, and what is now in memory."""
        folding = Folding(
            self.projection,
            memory.entries,
            self._poison,
            budget=self.limits.budget,
            brake=self.limits.brake,
        )
        steps = folding.partition(held, records)
        try:
            need = next(steps)
            while True:
                if need.load is not None:
                    rows = await self.store.older(need.load, need.subjects[0])
                    self.projection.deepen(memory.entries[need.subjects[0]].state, need.load, rows)
                else:
                    memory.take(await self.store.entries(need.subjects, need.partition), held)
                need = steps.send(None)
        except StopIteration as stopped:
            done: int = stopped.value
        except Poison as poison:
            self._poison[poison.place] = poison.reason, poison.error
            (row,) = await self.store.claim(held.topic, [held.number], "rebuild")
            again = await self.store.partition(held.topic, row)
            left = [record for record in records if record.offset >= again.next_offset]
            return again, Memory(self.projection), left
        await self.store.commit(folding.writes, folding.writes.rows(self.projection))
        self.report.records += folding.writes.records
        memory.trim(self.limits.hot)
        return held, memory, records[done:]

    def _tell(self, held: Partition) -> None:
        seconds = max(time.monotonic() - self._began, 0.001)
        self._progress(Done(self.report.records, self._total, self.report.records / seconds))

    async def _settle_parked(self, number: int) -> None:
        """Discard and retry what was discarded and retried live: the queues end alike."""
        discarded = await self.pool.fetch(
            f'SELECT topic, partition, "offset", subject FROM {self.live.schema}.parked'
            " WHERE state = 'discarded' AND partition = $1",
            number,
        )
        for row in discarded:
            await self.pool.execute(
                f"UPDATE {self.store.schema}.parked SET state = 'discarded' WHERE topic = $1"
                ' AND partition = $2 AND "offset" = $3 AND subject = $4',
                *row,
            )
        retried = await self.pool.fetch(
            f"SELECT n.subject FROM {self.store.schema}.subjects n"
            f" JOIN {self.live.schema}.subjects l USING (subject)"
            " WHERE n.parked AND NOT l.parked AND n.partition = $1 ORDER BY 1",
            number,
        )
        for row in retried:
            await parking.retry(self.store, row["subject"], "rebuild")

    # Comparing.

    async def _relayed(self) -> None:
        """Wait until everything concluded so far is published, or there is nothing to compare."""
        async with self.pool.acquire() as connection:
            last = await connection.fetchrow(
                "SELECT xid::text, id FROM tertib.events ORDER BY xid DESC, id DESC LIMIT 1"
            )
            deadline = time.monotonic() + 60
            while last is not None:
                sent = await connection.fetchval(
                    "SELECT bool_or((xid, id) >= ($1::xid8, $2::bigint)) FROM tertib.relay_cursor",
                    *last,
                )
                if sent:
                    return
                if time.monotonic() > deadline:
                    raise RuntimeError(
                        "the relay has not published what was concluded: start the service first"
                    )
                await asyncio.sleep(0.1)

    async def _compare(self, number: int) -> None:
        """Hold what was concluded for a partition against what was published of it."""
        told = {
            event[2]: (event[0], _digest(event[4]))
            for event in self.concluded
            if event[3] in BY_TYPE and not BY_TYPE[event[3]].TOLD
        }
        self.report.events += len(told)
        topics = {topic for topic, _ in told.values()} or self._told_topics()
        last = await self._last_numbers(number)
        differences = self.report.differences
        for topic in sorted(topics):
            for record in await asyncio.to_thread(self._published, topic, number):
                name = record.id
                ours = told.pop(name, None)
                if ours is None:
                    if name in self._seen:
                        continue
                    if record.seq <= last.get(record.subject, 0) and record.derived:
                        differences.append(f"{name} was published, and is not concluded again")
                elif ours[1] != record.digest:
                    differences.append(f"{name} is concluded with other bytes than published")
                self._seen.add(name)
        differences += [f"{name} is concluded, and was never published" for name in sorted(told)]
        del differences[SHOWN:]

    def _told_topics(self) -> set[str]:
        return {kind.TOPIC for kind in BY_TYPE.values() if kind.SERVICE == self.projection.service
                and not kind.TOLD}  # fmt: skip

    def _published(self, topic: str, number: int) -> list["_Published"]:
        self._seen: set[str] = set()
        reading = _Reading(self._bootstrap, topic, number)
        try:
            return [_published(record) for record in reading.all()]
        finally:
            reading.close()

    async def _last_numbers(self, number: int) -> dict[str, int]:
        rows = await self.pool.fetch(
            f"SELECT subject, last_seq FROM {self.store.schema}.subjects WHERE partition = $1",
            number,
        )
        return {row["subject"]: row["last_seq"] for row in rows}

    # Switching.

    async def _switch(self) -> None:
        """Catch up to where the live set stands, with its cursors held, and take over."""
        while not await self._try_switch():
            await asyncio.sleep(0.1)

    async def _try_switch(self) -> bool:
        await self._catch_up(await self._cursors(self.live))
        async with self.pool.acquire() as holding, holding.transaction():
            rows = await holding.fetch(
                f"SELECT topic, partition, next_offset, last_subject FROM {self.live.schema}.cursors"
                " ORDER BY topic, partition FOR UPDATE"
            )
            if any(row["last_subject"] for row in rows):
                return False  # In the middle of a broadcast: a moment later it is done.
            ends = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
            await self._catch_up(ends)
            await tableset.switch(holding, self.projection, self.store.schema)
            await holding.execute(f"UPDATE {self.live.schema}.cursors SET epoch = epoch + 1")
        return True

    async def _catch_up(self, ends: dict[Place, int]) -> None:
        cursors = await self._cursors(self.store)
        for (topic, number), end in ends.items():
            if cursors[topic, number] < end:
                await self._fold_to(topic, number, end)
        self.concluded.clear()

    async def _cursors(self, store: Store) -> dict[Place, int]:
        rows = await self.pool.fetch(
            f"SELECT topic, partition, next_offset FROM {store.schema}.cursors"
        )
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


@dataclass(frozen=True)
class _Published:
    id: str
    subject: str
    seq: int
    derived: bool
    digest: bytes


def _published(record: "_Record") -> _Published:
    envelope = json.loads(record.value)
    kind = BY_TYPE.get(envelope["type"])
    return _Published(
        envelope["id"],
        envelope["subject"],
        envelope.get("subjectseq", 0),
        kind is not None and not kind.TOLD,
        _digest(record.value),
    )


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()[:16]


@dataclass(frozen=True, slots=True)
class _Record:
    """A record as the fold reads it: the attributes of aiokafka's."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: Any
    headers: Sequence[tuple[str, bytes]]


class _Reading:
    """Reads one partition without a group, through librdkafka: six times aiokafka's rate."""

    def __init__(self, bootstrap: str, topic: str, number: int) -> None:
        self._place = topic, number
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "tertib.rebuild",  # Never joined: librdkafka wants a name.
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "queued.max.messages.kbytes": 16_384,
            }
        )
        self._at: int | None = None

    def read(self, offset: int, end: int) -> list[_Record]:
        """Give the next records from an offset, below `end`; at least one."""
        if self._at != offset:
            self._consumer.assign([TopicPartition(*self._place, offset)])
        records: list[_Record] = []
        while not records:
            for message in self._consumer.consume(CHUNK, timeout=1.0):
                _check(message.error())
                if message.error() is None and message.offset() < end:
                    records.append(_record(message))
        self._at = records[-1].offset + 1
        return records

    def all(self) -> Iterator[_Record]:
        """Give every record there is now."""
        begin, end = self._consumer.get_watermark_offsets(TopicPartition(*self._place), timeout=30)
        while begin < end:
            records = self.read(begin, end)
            yield from records
            begin = records[-1].offset + 1

    def close(self) -> None:
        """Let the broker go."""
        self._consumer.close()


def _check(error: KafkaError | None) -> None:
    if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  (its name)
        raise KafkaException(error)


def _record(message: Any) -> _Record:
    return _Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        message.headers() or (),
    )


async def rebuild(
    projection: Projection[Any, Any],
    bootstrap: str,
    database_url: str,
    progress: Callable[[Done], None] = lambda _: None,
    limits: Limits | None = None,
) -> Report:
    """Rebuild one projection of a running service; see Rebuild. Errors: Halt, RuntimeError."""
    pool = await asyncpg.create_pool(database_url, min_size=1, max_size=4)
    try:
        return await Rebuild(
            projection, bootstrap, pool, limits=limits, progress=progress
        ).run()
    finally:
        await pool.close()


__all__ = ["Done", "Halt", "Rebuild", "Report", "rebuild"]
