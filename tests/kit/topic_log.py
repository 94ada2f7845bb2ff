"""Reading a whole topic as it stands."""

from confluent_kafka import Consumer, Message, TopicPartition

from shared.runtime.broadcast import topic_scan
from shared.runtime.kafka.topics import PARTITIONS

PATIENCE = 60.0


def records(bootstrap: str, topic: str) -> dict[int, list[Message]]:
    """Give everything on a topic, by partition in offset order; empty partitions included."""
    ends = topic_scan.ends_of(bootstrap, topic)
    reader = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "readers",
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )
    reader.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    found: dict[int, list[Message]] = {number: [] for number in range(PARTITIONS)}
    while sum(map(len, found.values())) < sum(ends.values()):
        first = reader.poll(PATIENCE)
        assert first is not None, "the log holds fewer records than it says"
        for record in [first, *reader.consume(5_000, timeout=0)]:
            found[record.partition()].append(record)
    reader.close()
    return found


def values(bootstrap: str, topic: str) -> dict[int, list[bytes]]:
    """Give the values on a topic, by partition in offset order."""
    return {
        number: [record.value() for record in some]
        for number, some in records(bootstrap, topic).items()
    }
