"""The stage of a fault test: a log, members as processes, and what they left behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import NewTopic

from shared.events.envelope import Envelope, canonical, headers_of
from shared.local.kafka import admin_client

PARTITIONS = 3
PATIENCE = 60.0
LIMITS: Mapping[str, Any] = {
    "partitions": PARTITIONS,
    "batch": 200,
    "budget": 120,  # Far below a broadcast's audience and a batch: everything is cut.
    "session_ms": 2_000,
    "mirror_seconds": 0.3,
    "longest_pause": 0.5,
}
# Asked on a connection of its own: within a transaction the view does not move.
WAITING = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND backend_xid IS NOT NULL"
)
ROOT = str(Path(__file__).parents[2])


@dataclass
class Member:
    """A running member. `status` is what it said last of itself."""

    process: subprocess.Popen[bytes]
    path: Path

    @property
    def status(self) -> dict[str, Any]:
        """Give what the member said last; {} before the first word."""
        try:
            said: dict[str, Any] = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
        return said

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this process alone."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Ask it to stop, and give its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


@dataclass
class Stage:
    """One topic, on a broker and a database. Members of different `name`s are different groups."""

    bootstrap: str
    database: str
    topic: str
    folder: Path
    name: str = "toy.sums"
    version: int = 1  # Of the assessor's fold that members can do.
    limits: Mapping[str, Any] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    ends: dict[int, int] = field(default_factory=dict)

    # The log.

    def make_topic(self) -> None:
        """Create the topic, and wait until it is there."""
        new = NewTopic(self.topic, PARTITIONS, 1)
        admin = admin_client(self.bootstrap)
        admin.create_topics([new])[self.topic].result(timeout=PATIENCE)
        self.ends = dict.fromkeys(range(PARTITIONS), 0)

    def write(self, said: Iterable[tuple[Envelope, int]]) -> None:
        """Write facts, each to its partition (a broadcast: to all), and wait until they stand."""
        producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "enable.idempotence": True,
                "linger.ms": 5,
                "log_level": 0,
            }
        )
        for envelope, number in said:
            value, headers = canonical(envelope), headers_of(envelope.type, envelope.id)
            where = [number] if envelope.broadcastseq is None else range(PARTITIONS)
            for partition in where:
                producer.produce(
                    self.topic,
                    value,
                    envelope.subject.encode(),
                    partition=partition,
                    headers=headers,
                    on_delivery=self._stands,
                )
            producer.poll(0)
        assert producer.flush(PATIENCE) == 0

    def write_raw(
        self,
        number: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]],
    ) -> None:
        """Write one record as it is."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "message.max.bytes": 2 << 20})
        producer.produce(
            self.topic, value, key, partition=number, headers=list(headers),
            on_delivery=self._stands,
        )  # fmt: skip
        assert producer.flush(PATIENCE) == 0

    def _stands(self, error: KafkaError | None, message: Message) -> None:
        assert error is None, error
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        self.ends[partition] = max(self.ends[partition], offset + 1)

    # Members.

    def start(self, failpoint: str = "") -> Member:
        """Start a member; with a fail point, one that kills itself there."""
        path = self.folder / f"member-{len(self.members)}-{self.name}.json"
        settings = {
            "bootstrap": self.bootstrap,
            "database": self.database,
            "topic": self.topic,
            "name": self.name,
            "version": self.version,
            "limits": {**LIMITS, **self.limits},
            "status": str(path),
        }
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.faults.member", json.dumps(settings)],
            env={**os.environ, "TERTIB_FAILPOINT": failpoint, "PYTHONPATH": ROOT},
            stdout=(path.with_suffix(".log")).open("wb"),
            stderr=subprocess.STDOUT,
        )
        self.members.append(Member(process, path))
        return self.members[-1]

    def end_all(self) -> None:
        """End what still runs."""
        for member in self.members:
            if member.process.poll() is None:
                member.signal(signal.SIGCONT)
                member.process.kill()
                member.process.wait(PATIENCE)

    # What they left behind.

    async def settled(self) -> None:
        """Wait until every cursor stands at the end of its partition."""
        await until(self._at_the_end, "the cursors did not reach the ends of the log")

    async def _at_the_end(self) -> bool:
        try:
            return await self.cursors() == self.ends
        except (asyncpg.PostgresError, OSError):
            return False  # Not there yet, or away.

    async def cursors(self) -> dict[int, int]:
        """Give the offsets up to which the partitions are done."""
        rows = await self.ask("SELECT partition, next_offset FROM {schema}.cursors")
        return {row["partition"]: row["next_offset"] for row in rows}

    async def ask(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """Ask the live table set."""
        connection = await asyncpg.connect(self.database)
        try:
            schema = await connection.fetchval(
                "SELECT schema FROM tertib.table_set WHERE projection = $1 AND live", self.name
            )
            rows: list[asyncpg.Record] = await connection.fetch(sql.format(schema=schema), *values)
            return rows
        finally:
            await connection.close()

    @asynccontextmanager
    async def held_up(self) -> AsyncIterator[None]:
        """Hold a member up in its transaction for as long as a block: it has a lock and waits."""
        holding = await asyncpg.connect(self.database)
        try:
            transaction = holding.transaction()
            await transaction.start()
            schema = (await self.ask("SELECT '{schema}' AS schema"))[0]["schema"]
            await holding.execute(f"SELECT FROM {schema}.subjects FOR UPDATE")
            await until(self._somebody_waits, "no transaction was held up")
            yield
        finally:
            holding.terminate()

    async def _somebody_waits(self) -> bool:
        return bool(await self.ask(WAITING))

    async def left(self) -> "Left":
        """Give the final state, and per subject the bytes of its events in order of commits."""
        sums = await self.ask("SELECT * FROM {schema}.toy_sums")
        taken = await self.ask("SELECT * FROM {schema}.toy_taken")
        parked = await self.ask(
            'SELECT subject, partition, "offset", reason FROM {schema}.parked'
            " WHERE state = 'waiting' ORDER BY id"
        )
        events = await self.ask(
            "SELECT key, payload FROM tertib.events WHERE topic LIKE '%.events' ORDER BY xid, id"
        )
        told: dict[str, list[bytes]] = {}
        for row in events:
            told.setdefault(row["key"], []).append(row["payload"])
        return Left(
            {row["subject"]: tuple(row) for row in sums},
            sorted(tuple(row) for row in taken),
            told,
            sorted(tuple(row) for row in parked),
        )


@dataclass(frozen=True)
class Left:
    """What a run left behind; equal for any two runs over the same log."""

    sums: dict[str, tuple[Any, ...]]
    taken: list[tuple[Any, ...]]
    told: dict[str, list[bytes]]
    parked: list[tuple[Any, ...]]


async def until(
    happened: Callable[[], Awaitable[bool]], otherwise: str, seconds: float = PATIENCE
) -> None:
    """Wait for a condition. Errors: AssertionError, saying `otherwise`, when it takes too long."""
    give_up = time.monotonic() + seconds
    while not await happened():
        assert time.monotonic() < give_up, otherwise
        await asyncio.sleep(0.05)


def numbered(said: Iterable[Envelope]) -> Iterator[tuple[Envelope, int]]:
    """Give each fact its partition: people are spread by the last digit of their name."""
    for envelope in said:
        yield envelope, place_of(envelope.subject) if envelope.broadcastseq is None else 0


def place_of(subject: str) -> int:
    """Say on which partition a person is."""
    return int(subject[-1]) % PARTITIONS
