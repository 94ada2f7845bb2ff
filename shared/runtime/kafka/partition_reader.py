"""Reading partitions in bulk, without a group: what a rebuild folds and compares with."""

from collections.abc import Iterator
from threading import Lock
from typing import Any

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException

from shared.runtime.kafka import log_ends
from shared.runtime.kafka.client import admin_client, reader
from shared.runtime.kafka.records import Record
from shared.runtime.positions import TopicPartition

CHUNK = 5_000


class PartitionReader:
    """Reads partitions, one at a time, through librdkafka, at six times aiokafka's rate.

    Blocks: use a thread. Errors of every method: confluent_kafka.KafkaException.
    """

    def __init__(self, bootstrap: str) -> None:
        self._at: tuple[TopicPartition, int] | None = None
        self._lock = Lock()  # A cancelled caller closes while its thread still reads.
        self._admin = admin_client(bootstrap)
        self._consumer = reader(
            bootstrap,
            # At a partition's end it waits for more, and so does the next partition behind it.
            {"fetch.wait.max.ms": 5, "queued.max.messages.kbytes": 16_384},
        )

    def ends(self, place: TopicPartition) -> tuple[int, int]:
        """Give the first offset of a partition that is there, and the one after the last.

        Errors: log_ends.NoSuchTopicError.
        """
        return log_ends.bounds_of(self._admin, place)

    def read(self, place: TopicPartition, offset: int, end: int) -> list[Record]:
        """Give the next records of a partition from an offset, below `end`; at least one."""
        topic, number = place
        return [
            Record(topic, number, m.offset(), m.key(), m.value(), m.headers() or ())
            for m in self._next(place, offset, end)
        ]

    def all(self, place: TopicPartition, begin: int, end: int) -> Iterator[Record]:
        """Give every record of a partition from an offset, below `end`."""
        while begin < end:
            records = self.read(place, begin, end)
            yield from records
            begin = records[-1].offset + 1

    def values(self, place: TopicPartition, begin: int, end: int) -> Iterator[bytes]:
        """Give the values alone, at less than half the cost; b"" for none."""
        while begin < end:
            messages = self._next(place, begin, end)
            yield from [message.value() or b"" for message in messages]
            begin = messages[-1].offset() + 1

    def _next(self, place: TopicPartition, offset: int, end: int) -> list[Any]:
        found: list[Any] = []
        with self._lock:
            if self._at != (place, offset):
                self._consumer.assign([confluent_kafka.TopicPartition(*place, offset)])
            while not found:
                for message in self._consumer.consume(min(CHUNK, end - offset), timeout=1.0):
                    _check(message.error())
                    # Records fetched ahead, of another partition or behind the end, are skipped.
                    its = message.topic(), message.partition()
                    if its == place and offset <= message.offset() < end:
                        found.append(message)
            self._at = place, found[-1].offset() + 1
        return found

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._consumer.close()


def _check(error: KafkaError | None) -> None:
    if error is not None:
        raise KafkaException(error)
