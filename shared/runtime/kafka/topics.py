"""The topics: one definition, one place that creates them, never by a broker's default.

Records are kept for ever, so a topic's number of partitions never changes (design 2): keys would
move otherwise. Another number means a new topic.
"""

from dataclasses import dataclass

from shared.events.catalogue import KINDS

PARTITIONS = 24
PUBLISHED = tuple(dict.fromkeys(kind.TOPIC for kind in KINDS))
RECORD_BYTES = 1_000_000  # A broker's default of 1 MiB, less what it puts around a record.
PARKED_BYTES = 4 << 20  # A parked record holds a whole refused one, up to a megabyte, and reasons.

_KEPT = {"retention.ms": "-1", "cleanup.policy": "delete", "compression.type": "zstd"}


@dataclass(frozen=True)
class Topic:
    """What a topic is created with. `config` are Kafka's own names and values."""

    name: str
    partitions: int
    config: dict[str, str]


def parked_of(projection: str) -> str:
    """Name the topic of what a projection (`<service>.<what>`) could not apply."""
    return f"{projection}.parked.v1"


def topic(name: str) -> Topic:
    """Give the definition of a topic, by its name."""
    if name.endswith(".parked.v1"):
        return Topic(name, PARTITIONS, {**_KEPT, "max.message.bytes": str(PARKED_BYTES)})
    return Topic(name, PARTITIONS, _KEPT)
