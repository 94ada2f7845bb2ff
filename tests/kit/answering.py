"""A service with one small projection that answers for itself, as its process does."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from shared.runtime.consumer.runner import Runner
from shared.runtime.hosting.health import application
from shared.runtime.hosting.status import ProcessStatus
from shared.runtime.http.server import HttpServer
from shared.runtime.limits import Limits
from tests.kit.counting import Counting

PARTITIONS = 2


@dataclass
class Asked:
    """A service with one projection, and where it answers."""

    vitals: ProcessStatus
    runner: Runner
    topic: str
    address: str

    async def claimed(self) -> None:
        """Wait until every partition is claimed, or stopped."""
        async with asyncio.timeout(30):
            await self.runner.caught_up({(self.topic, n): 0 for n in range(PARTITIONS)})

    async def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        return await asyncio.to_thread(_fetched, self.address + path, method)

    async def told(self, path: str) -> tuple[int, dict[str, Any]]:
        status, body = await self.get(path)
        return status, json.loads(body)

    async def until(
        self, path: str, holds: Callable[[int, dict[str, Any]], bool]
    ) -> dict[str, Any]:
        """Ask until an answer is as it should be, and give it."""
        async with asyncio.timeout(30):
            while not holds(*(answer := await self.told(path))):  # noqa: ASYNC110  (it answers over HTTP)
                await asyncio.sleep(0.05)
        return answer[1]


def _fetched(url: str, method: str) -> tuple[int, str]:
    request = urllib.request.Request(url, method=method)  # noqa: S310  (our own address)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  (our own address)
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


@asynccontextmanager
async def answering(
    bootstrap: str, database: str, topic: str, *, start: bool = True, **limits: Any
) -> AsyncIterator[Asked]:
    pool = await asyncpg.create_pool(database, min_size=1, max_size=2)
    bounds = Limits(partitions=PARTITIONS, **limits)
    runner = Runner(Counting(topic), bootstrap, database, bounds)
    vitals = ProcessStatus("tests", pool, [runner])
    server = HttpServer(application(vitals), "127.0.0.1", 0)
    serving = asyncio.create_task(server.run())
    if start:
        await runner.start()
    try:
        yield Asked(vitals, runner, topic, f"http://127.0.0.1:{server.port}")
    finally:
        if start:
            await runner.stop()
        server.stop()
        await serving
        pool.terminate()


async def put_beyond_the_log(bootstrap: str, database: str, topic: str) -> None:
    """Let a runner claim its partitions and go; then move a cursor to where no log is."""
    async with answering(bootstrap, database, topic) as asked:
        await asked.claimed()
    connection = await asyncpg.connect(database)
    await connection.execute(
        "UPDATE tests_counting_v1_1.cursors SET next_offset = 7 WHERE partition = 1"
    )
    await connection.close()


def figure(figures: str, name: str) -> float:
    """Give the one figure whose name and labels begin so."""
    (line,) = [line for line in figures.splitlines() if line.startswith(name)]
    return float(line.rpartition(" ")[2])
