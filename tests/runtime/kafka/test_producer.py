"""Sending: the same partitions as everybody, in order, and no way on after a failure."""

import asyncio
import gc
import time
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes

import pytest
from aiokafka.partitioner import DefaultPartitioner
from confluent_kafka.admin import NewTopic

from shared.local.kafka import admin_client
from shared.runtime.kafka import admin
from shared.runtime.kafka.producer import DeliveryFailedError, Producer
from shared.runtime.kafka.topics import PARTITIONS
from tests.kit.topic_log import records, values

NOBODY = "127.0.0.1:9"


async def a_topic(bootstrap: str, prefix: str) -> str:
    name = f"{prefix}facts.v1"
    await admin.ensure(bootstrap, [name])
    return name


async def test_every_key_goes_where_aiokafka_would_put_it(
    bootstrap: str, topic_prefix: str
) -> None:
    """Both clients write keyed facts: one key in two partitions would be two people (design 2)."""
    topic = await a_topic(bootstrap, topic_prefix)
    keys = {f"E{n:06}".encode() for n in range(2_000)}
    keys |= {sha256(b"%d" % n).digest()[: 1 + n % 32] for n in range(2_000)}
    producer = Producer(bootstrap)

    for key in keys:
        producer.send(topic, b"x", key)
    await producer.flush()

    all_partitions = list(range(PARTITIONS))
    theirs = DefaultPartitioner()
    ours = {r.key(): number for number, some in records(bootstrap, topic).items() for r in some}
    assert ours == {key: theirs(key, all_partitions, all_partitions) for key in keys}
    assert set(ours.values()) == set(all_partitions)


async def test_records_of_a_key_stay_in_order(bootstrap: str, topic_prefix: str) -> None:
    topic = await a_topic(bootstrap, topic_prefix)
    producer = Producer(bootstrap, {"batch.num.messages": 10, "linger.ms": 0})

    for n in range(20_000):
        producer.send(topic, b"%d" % n, b"E%d" % (n % 50), headers=[("ce_id", b"%d" % n)])
    await producer.flush()

    by_key: dict[bytes, list[int]] = {}
    for some in records(bootstrap, topic).values():
        for record in some:
            assert record.headers() == [("ce_id", record.value())]
            by_key.setdefault(record.key(), []).append(int(record.value()))
    assert len(by_key) == 50
    assert all(numbers == list(range(int(key[1:]), 20_000, 50)) for key, numbers in by_key.items())


async def test_a_record_goes_to_the_partition_it_is_given(
    bootstrap: str, topic_prefix: str
) -> None:
    topic = await a_topic(bootstrap, topic_prefix)
    producer = Producer(bootstrap)

    for number in range(PARTITIONS):
        producer.send(topic, b"to %d" % number, partition=number)
    await producer.flush()

    assert values(bootstrap, topic) == {n: [b"to %d" % n] for n in range(PARTITIONS)}


async def test_a_full_queue_is_waited_for(bootstrap: str, topic_prefix: str) -> None:
    topic = await a_topic(bootstrap, topic_prefix)
    producer = Producer(bootstrap, {"queue.buffering.max.messages": 100})

    for n in range(5_000):
        producer.send(topic, b"%d" % n, b"E1")
    await producer.flush()

    held = [value for some in values(bootstrap, topic).values() for value in some]
    assert held == [b"%d" % n for n in range(5_000)]


async def test_waiting_for_answers_lets_others_work() -> None:
    """Nobody answers, and nothing times out: the loop turns on, and a cancelled flush ends."""
    producer = Producer(NOBODY)
    producer.send("facts.v1", b"x", b"E1")
    began = time.monotonic()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await producer.flush()

    assert time.monotonic() - began < 5.0
    producer.abandon()


def test_an_abandoned_producer_leaves_no_thread() -> None:
    """Without the help of the collector, which a service lets look seldom (`gc_tuning`).

    A relay whose records were refused for ten minutes had no thread left to start.
    """
    threads = Path("/proc/self/task")
    gc.disable()
    try:
        before = len(list(threads.iterdir()))
        producers = [Producer(NOBODY) for _ in range(5)]
        for producer in producers:
            producer.send("facts.v1", b"x", b"E1")
        during = len(list(threads.iterdir()))
        for producer in producers:
            producer.abandon()
        after = len(list(threads.iterdir()))
    finally:
        gc.enable()

    assert during >= before + 5
    assert after == before


async def test_nothing_overtakes_a_refused_record(bootstrap: str, topic_prefix: str) -> None:
    """What was behind it would be taken for a gap, or for the record itself."""
    topic = f"{topic_prefix}small.v1"
    limit = {"max.message.bytes": "5000"}
    admin = admin_client(bootstrap)
    admin.create_topics([NewTopic(topic, PARTITIONS, 1, config=limit)])[topic].result(30)
    producer = Producer(bootstrap, {"batch.num.messages": 3, "linger.ms": 0})
    big = token_bytes(9_000)

    async def send_all() -> None:
        for n in range(2_000):
            producer.send(topic, b"%d" % n + (big if n == 300 else b""), partition=5)
        await producer.flush()

    with pytest.raises(DeliveryFailedError):
        await send_all()
    producer.abandon()

    assert values(bootstrap, topic)[5] == [b"%d" % n for n in range(300)]


async def test_after_a_failure_it_takes_nothing_more(bootstrap: str, topic_prefix: str) -> None:
    producer = Producer(bootstrap, {"topic.metadata.propagation.max.ms": 200})
    producer.send(f"{topic_prefix}missing.v1", b"x", b"E1")
    with pytest.raises(DeliveryFailedError, match="Unknown topic"):
        await producer.flush()

    with pytest.raises(DeliveryFailedError, match="Unknown topic"):
        producer.send(f"{topic_prefix}missing.v1", b"y", b"E1")
    with pytest.raises(DeliveryFailedError, match="Unknown topic"):
        await producer.flush()
