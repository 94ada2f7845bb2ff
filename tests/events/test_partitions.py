"""Both clients put every key into the same partition: what one writes, the other finds by key."""

import random

from aiokafka.partitioner import DefaultPartitioner
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import NewTopic

from shared.runtime.kafka.producer import Producer, ProducerConfig
from tests.kit.servers import Servers

PARTITIONS = [*range(24)]


def keys() -> list[bytes]:
    """Give keys of every length and sort, the same ones in each run."""
    dice = random.Random(24)  # noqa: S311  (the same keys in each run)
    texts = [f"E-{number:05}" for number in range(500)]
    texts += ["x", "53.01", "BWXP194660103", "pegawai-é-ü-日本", "0" * 200]
    return [text.encode() for text in texts] + [dice.randbytes(1 + n % 40) for n in range(1500)]


async def where_they_went(
    servers: Servers, topic: str, settings: ProducerConfig | None = None
) -> dict[bytes, int]:
    """Write the keys with the relay's producer, and read from which partitions they come."""
    servers.kafka_admin.create_topics([NewTopic(topic, 24, 1)])[topic].result(timeout=30)
    producer = Producer(servers.bootstrap, settings)
    for key in keys():
        producer.send(topic, b"", key)
    await producer.flush()

    consumer = Consumer({"bootstrap.servers": servers.bootstrap, "group.id": topic})
    consumer.assign([TopicPartition(topic, number, 0) for number in PARTITIONS])
    found: dict[bytes, int] = {}
    while len(found) < len(set(keys())):
        for record in consumer.consume(1000, timeout=10):
            found[record.key()] = record.partition()
    consumer.close()
    return found


def as_aiokafka_chooses() -> dict[bytes, int]:
    return {key: DefaultPartitioner()(key, PARTITIONS, PARTITIONS) for key in keys()}


async def test_both_clients_choose_the_same_partition(servers: Servers, topic_prefix: str) -> None:
    went = await where_they_went(servers, f"{topic_prefix}ours")

    assert went == as_aiokafka_chooses()
    assert set(went.values()) == set(PARTITIONS)


async def test_librdkafka_alone_would_choose_others(servers: Servers, topic_prefix: str) -> None:
    """The proof that the test above can fail: our setting is what makes them agree."""
    alone: ProducerConfig = {"partitioner": "consistent_random"}
    went = await where_they_went(servers, f"{topic_prefix}alone", alone)

    assert went != as_aiokafka_chooses()
