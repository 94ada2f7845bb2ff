"""An outbox with events of some subjects, and relays beside it, in this process or their own."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from shared.runtime.kafka.producer import ProducerConfig
from shared.runtime.outbox import outbox_table
from shared.runtime.outbox.relay import Relay
from tests.kit.topic_log import records

ROOT = str(Path(__file__).parents[2])
PATIENCE = 60.0
TYPE = "tertib.toy.Said.v1"
PROGRAM = """
import asyncio, sys
from shared.runtime.outbox.relay import Relay
asyncio.run(Relay(*sys.argv[1:]).run())
"""


async def until(holds: Callable[[], Any]) -> None:
    """Wait until something holds; a coroutine is awaited."""
    async with asyncio.timeout(PATIENCE):
        while True:
            held = holds()
            if await held if asyncio.iscoroutine(held) else held:
                return
            await asyncio.sleep(0.01)


@dataclass
class Outbox:
    """The outbox of one database; its events go to one topic."""

    bootstrap: str
    url: str
    topic: str
    connection: asyncpg.Connection

    async def say(
        self,
        said: Iterable[tuple[str, int]],
        connection: asyncpg.Connection | None = None,
        size: int = 1,
    ) -> None:
        """Append events, each the number of its subject, on the given connection or our own."""
        await (connection or self.connection).copy_records_to_table(
            "events",
            schema_name="tertib",
            columns=("topic", "key", "event_id", "type", "payload"),
            records=[
                (self.topic, key, f"/toy/{key}@{n}", TYPE, (b"%d" % n).ljust(size))
                for key, n in said
            ],
        )

    async def say_many(self, subjects: int, numbers: range) -> None:
        """Append the next numbers of many subjects, a transaction each."""
        for n in numbers:
            await self.say((f"E{each}", n) for each in range(subjects))

    def published(self) -> dict[str, list[int]]:
        """Give the numbers on the topic by subject, in log order, repetitions included."""
        by_key: dict[str, list[int]] = {}
        for some in records(self.bootstrap, self.topic).values():
            for record in some:
                by_key.setdefault(record.key().decode(), []).append(int(record.value()))
        return by_key

    def applied(self) -> dict[str, list[int]]:
        """Give what a reader applies that drops numbers up to the last; a gap fails the test."""
        heard: dict[str, list[int]] = {}
        for key, numbers in self.published().items():
            applied = heard.setdefault(key, [])
            for n in numbers:
                assert n <= len(applied) + 1, f"{key}: {n} after {len(applied)}"
                if n == len(applied) + 1:
                    applied.append(n)
        return heard

    @asynccontextmanager
    async def relay(self, settings: ProducerConfig | None = None) -> AsyncIterator[Relay]:
        """Run a relay in this process for as long as a block; its death ends the block."""
        relay = Relay(self.url, self.bootstrap, "toy", settings)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(relay.run())
            yield relay
            task.cancel()

    async def killed_relay(self, failpoint: str) -> None:
        """Run a relay that kills itself at a fail point; fail if it did not."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            PROGRAM,
            self.url,
            self.bootstrap,
            "toy",
            env={**os.environ, "TERTIB_FAILPOINT": failpoint, "PYTHONPATH": ROOT},
            stdout=subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                assert await process.wait() == -signal.SIGKILL
        finally:
            if process.returncode is None:
                process.kill()

    async def drained(self, relay: Relay) -> None:
        """Wait until everything is published."""
        await until(relay.drained)


@asynccontextmanager
async def an_outbox(bootstrap: str, url: str, topic: str) -> AsyncIterator[Outbox]:
    """Make the outbox of a database; the topic is somebody else's to make."""
    connection = await asyncpg.connect(url)
    try:
        await outbox_table.prepare(connection)
        yield Outbox(bootstrap, url, topic, connection)
    finally:
        await connection.close()
