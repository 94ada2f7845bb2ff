"""The shortest way to put records on a topic and to read them all."""

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from shared.local.kafka import admin_client

PATIENCE = 60.0


def make_topic(bootstrap: str, topic: str, copies: int = 1) -> None:
    """Create a topic of one partition, and wait until it is there."""
    admin = admin_client(bootstrap)  # Its answers die with it.
    admin.create_topics([NewTopic(topic, 1, copies)])[topic].result(timeout=PATIENCE)


def produce(bootstrap: str, topic: str, value: bytes) -> None:
    """Put one record on a topic, and wait until all in-sync copies have it."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "enable.idempotence": True, "log_level": 0}
    )
    refusals: list[object] = []
    producer.produce(topic, value=value, on_delivery=lambda error, _: refusals.append(error))
    assert producer.flush(PATIENCE) == 0
    assert refusals == [None]


def consume(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    """Read the first records of a topic, as many as are asked for."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "readers", "log_level": 0})
    reader.assign([TopicPartition(topic, 0, 0)])
    records = reader.consume(count, timeout=PATIENCE)
    reader.close()
    return [record.value() for record in records]
