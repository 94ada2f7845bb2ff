"""Envelopes of nothing in particular, and a relay of facts as a process that can be killed."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from shared.events.envelope import Envelope, fact_id
from shared.runtime.broadcast import known_facts
from shared.runtime.broadcast.bulk import BulkPublisher, bulk_publisher
from shared.runtime.broadcast.facts import Facts
from shared.runtime.broadcast.relay import facts_relay
from shared.runtime.broadcast.waiting import Waits, nobody_hears
from shared.runtime.kafka.producer import ProducerConfig
from shared.runtime.kafka.topics import PARTITIONS
from shared.runtime.outbox.relay import Relay
from shared.runtime.outbox.sending import AFTER_PARTITION
from tests.kit.outboxes import until
from tests.kit.topic_log import values

ROOT = str(Path(__file__).parents[2])
PATIENCE = 60.0
DAY = "2026-01-05T12:00:00+08:00"
CODE = "53.01"
PEOPLE = [f"E{n:03}" for n in range(60)]


def said(kind: str, subject: str, number: int, text: str = "", code: str = CODE) -> Envelope:
    """Say something of a subject; kind, subject and number make the id."""
    return Envelope(
        data={"number": number, "text": text},
        id=fact_id(kind, subject, number),
        recordedtime=DAY,
        regency=code,
        source="/toy",
        subject=subject,
        time=DAY,
        type=f"tertib.toy.{kind}.v1",
    )


def closing(number: int, text: str = "", code: str = CODE) -> Envelope:
    """Say something to everybody."""
    return said("DayClosed", code, number, text, code)


def tap(person: str, number: int, text: str = "", code: str = CODE) -> Envelope:
    """Say something of one person."""
    return said("Tapped", person, number, text, code)


Heard = tuple[int | None, str, int]


def heard(value: bytes) -> Heard:
    """Give broadcastseq, subject and number of a record."""
    envelope = json.loads(value)
    return envelope.get("broadcastseq"), envelope["subject"], envelope["data"]["number"]


@dataclass
class FactTopic:
    """A topic of facts and the database of who publishes them."""

    bootstrap: str
    url: str
    topic: str

    @asynccontextmanager
    async def facts(self) -> AsyncIterator[Facts]:
        """Give the door, with connections for some writers at once; nothing is published by it."""
        named = {"application_name": "a door"}
        async with asyncpg.create_pool(
            self.url, min_size=1, max_size=8, server_settings=named
        ) as pool:
            async with pool.acquire() as connection:
                await known_facts.prepare(connection)
            yield Facts(pool, self.topic)

    def bulk(
        self, settings: ProducerConfig | None = None, waits: Waits = nobody_hears
    ) -> AbstractAsyncContextManager[BulkPublisher]:
        """Give what a command publishes with."""
        return bulk_publisher(
            self.url, self.bootstrap, self.topic, "a command", waits=waits, settings=settings
        )

    def new_relay(self, settings: ProducerConfig | None = None) -> Relay:
        """Give a relay of the facts, as a service has one."""
        return facts_relay(self.url, self.bootstrap, "toy", self.topic, settings)

    @asynccontextmanager
    async def relay(self, settings: ProducerConfig | None = None) -> AsyncIterator[Relay]:
        """Run a relay in this process for as long as a block; its death ends the block."""
        relay = self.new_relay(settings)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(relay.run())
            yield relay
            task.cancel()

    async def close(self, facts: Facts, envelopes: Sequence[Envelope]) -> int:
        """Broadcast through the door, and give the transaction."""
        async with facts.transaction(exclusive={each.regency for each in envelopes}) as tx:
            await tx.broadcast(envelopes)
        assert tx.xid is not None
        return tx.xid

    async def run(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url)
        await connection.execute(statement)
        await connection.close()

    def told(self) -> dict[int, list[Heard]]:
        """Give what stands in each partition, repetitions included."""
        return {
            partition: [heard(value) for value in some]
            for partition, some in values(self.bootstrap, self.topic).items()
        }

    def broadcasts(self) -> dict[int, list[int]]:
        """Give the numbers said to everybody in each partition, in the order of the log."""
        return {
            partition: [number for seq, _, number in some if seq is not None]
            for partition, some in self.told().items()
        }


def everywhere(*numbers: int) -> dict[int, list[int]]:
    """Give what every partition holds."""
    return {partition: list(numbers) for partition in range(PARTITIONS)}


def once(some: dict[int, list[int]]) -> dict[int, list[int]]:
    """Leave out what a reader drops: what has been there before."""
    return {partition: list(dict.fromkeys(numbers)) for partition, numbers in some.items()}


async def begin_doomed(place: FactTopic, dies_after: int) -> Process:
    """Start a relay that dies after so many partitions; return when it leads."""
    return await _begun(place, "relay", f"{AFTER_PARTITION}:{dies_after}")


async def begin_bulk(place: FactTopic, signal_name: str) -> Process:
    """Start a command that publishes PEOPLE's taps, and gets a signal before it has noted them."""
    return await _begun(place, "bulk", f"bulk_before_note:1:{signal_name}")


async def _begun(place: FactTopic, what: str, failpoint: str) -> Process:
    """Start a process of this module; return when it is about to do what it is for."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.kit.broadcasting",
        what,
        place.url,
        place.bootstrap,
        place.topic,
        env={**os.environ, "TERTIB_FAILPOINT": failpoint, "PYTHONPATH": ROOT},
        stdout=PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while (line := await process.stdout.readline()).strip() != b"ready":
            assert line, "it ended before it began"
    return process


async def let_die(process: Process) -> None:
    """Wait until it has killed itself; fail if it ends otherwise."""
    async with asyncio.timeout(PATIENCE):
        assert await process.wait() == -signal.SIGKILL


async def _relay(place: FactTopic) -> None:
    async with place.relay() as relay:
        await until(lambda: relay.active)
        print("ready", flush=True)  # noqa: T201  (to the test that started it)
        await asyncio.Event().wait()


async def _bulk(place: FactTopic) -> None:
    async with place.bulk() as publisher:
        print("ready", flush=True)  # noqa: T201  (to the test that started it)
        await publisher.publish([tap(person, 1) for person in PEOPLE])


if __name__ == "__main__":
    name, url, bootstrap, topic = sys.argv[1:]
    asyncio.run({"relay": _relay, "bulk": _bulk}[name](FactTopic(bootstrap, url, topic)))
