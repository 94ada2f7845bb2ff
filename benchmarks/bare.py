"""Bare aiokafka `getmany`: the fastest that a consumer in a group can read here. It is the 1."""

import asyncio
import json
import sys
import time
from typing import Any

from aiokafka import AIOKafkaConsumer

from benchmarks.stage import Log, Stage
from shared.runtime.limits import Limits


def measure(stage: Stage, log: Log) -> float:
    """Give records a second, from the moment the group has its partitions."""
    rate: float = stage.run("bare", log)["rate"]
    return rate


async def read(settings: dict[str, Any]) -> float:
    """Read a topic once."""
    limits, wanted = Limits(), sum(settings["ends"].values())
    consumer = AIOKafkaConsumer(
        settings["topic"],
        bootstrap_servers=settings["bootstrap"],
        group_id=f"bare-{settings['topic']}-{time.monotonic_ns()}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=limits.partition_bytes,
    )
    await consumer.start()
    while not consumer.assignment():  # noqa: ASYNC110  (aiokafka has no event for it)
        await asyncio.sleep(0.001)
    began, seen = time.perf_counter(), 0
    while seen < wanted:
        found = await consumer.getmany(timeout_ms=200, max_records=limits.batch)
        seen += sum(map(len, found.values()))
    rate = seen / (time.perf_counter() - began)
    await consumer.stop()
    return rate


if __name__ == "__main__":
    print(json.dumps({"rate": asyncio.run(read(json.loads(sys.argv[1])))}))  # noqa: T201
