"""The relay on the events that the assessor made: from the outbox to acknowledged records."""

import asyncio
import json
import sys
import time
from typing import Any

import asyncpg

from benchmarks.stage import Log, Stage, quiet
from shared.runtime.outbox.relay import Relay

LOOK_SECONDS = 0.02


def measure(stage: Stage, log: Log, database: str) -> float:
    """Give events a second, from when the relay has its lock until all are acknowledged."""
    rate: float = stage.run("relaying", log, database=database)["rate"]
    return rate


async def publish(settings: dict[str, Any]) -> float:
    """Publish everything once."""
    connection = await asyncpg.connect(settings["database"])
    events = await connection.fetchval("SELECT count(*) FROM tertib.events")
    await connection.close()
    relay = Relay(settings["database"], settings["bootstrap"], "attendance")
    running = asyncio.create_task(relay.run())
    while not relay.status.active:  # noqa: ASYNC110  (a relay tells nobody)
        await asyncio.sleep(0.001)
    began = time.perf_counter()
    while relay.status.published < events:  # noqa: ASYNC110  (as above)
        await asyncio.sleep(LOOK_SECONDS)
    rate: float = events / (time.perf_counter() - began)
    running.cancel()
    return rate


if __name__ == "__main__":
    quiet()
    print(json.dumps({"rate": asyncio.run(publish(json.loads(sys.argv[1])))}))  # noqa: T201
