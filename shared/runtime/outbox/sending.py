"""Rows of an outbox as records: each to the partition of its key, a broadcast to all of them."""

import asyncio
from collections.abc import Sequence

import asyncpg

from shared.events.envelope import headers_of
from shared.runtime.failpoints import reach, switched_on
from shared.runtime.kafka.headers import headers_in
from shared.runtime.kafka.producer import Headers, Producer
from shared.runtime.kafka.topics import PARTITIONS

SLICE = 250  # A millisecond of the event loop, which others need as well.
AFTER_PARTITION = "relay_after_partition"


async def send(producer: Producer, rows: Sequence[asyncpg.Record]) -> int:
    """Queue rows, each behind the one before it; give how many records they made.

    Lets the loop read the next page in between. Errors: DeliveryFailedError.
    """
    records = 0
    queue = producer.send
    for begin in range(0, len(rows), SLICE):
        await asyncio.sleep(0)
        for _, _, topic, key, event_id, type_, payload, more in rows[begin : begin + SLICE]:
            headers = headers_of(type_, event_id) + (headers_in(more) if more else [])
            if key is None:
                await _send_everywhere(producer, topic, payload, headers)
                records += PARTITIONS
            else:
                queue(topic, payload, key.encode(), None, headers)
                records += 1
        producer.serve()
    return records


async def _send_everywhere(
    producer: Producer, topic: str, payload: bytes, headers: Headers
) -> None:
    for partition in range(PARTITIONS):
        producer.send(topic, payload, None, partition, headers)
        if switched_on(AFTER_PARTITION):
            await producer.flush()  # Else a fault test could not say what it killed.
        reach(AFTER_PARTITION)
