"""Bare aiokafka `getmany`: the fastest that a consumer in a group can read here. It is the 1."""

import asyncio
import json
import sys
import time
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer

from benchmarks.stage import Log, Stage
from shared.runtime.limits import Limits

BATCH = 5_000  # The bare loop's own best; more records at a time make it slower.


class Bare(NamedTuple):
    """Records a second, from the moment the group has its partitions; and a processor second."""

    rate: float
    by_processor: float


def measure(stage: Stage, log: Log) -> Bare:
    """Read a log once, in a process of its own."""
    return Bare(**stage.run("bare", log))


async def read(settings: dict[str, Any]) -> Bare:
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
    began, processor, seen = time.perf_counter(), time.process_time(), 0
    while seen < wanted:
        found = await consumer.getmany(timeout_ms=200, max_records=BATCH)
        seen += sum(map(len, found.values()))
    seconds, busy = time.perf_counter() - began, time.process_time() - processor
    await consumer.stop()
    return Bare(seen / seconds, seen / busy)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(read(json.loads(sys.argv[1])))._asdict()))  # noqa: T201
