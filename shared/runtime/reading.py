"""Reading a partition in bulk, without a group: what a rebuild folds and compares with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from logging import NullHandler, getLogger
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from shared.runtime.holding import Place

CHUNK = 5_000
TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Record:
    """A record as a fold reads it: the attributes of aiokafka's."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: Any
    headers: Sequence[tuple[str, bytes]]


class Head(msgspec.Struct):
    """What places a published event in its subject's stream; the rest is not decoded."""

    id: str
    subject: str
    type: str
    subjectseq: int = 0
    causationid: str = ""


head_of = msgspec.json.Decoder(Head).decode


class Reading:
    """Reads one partition through librdkafka, at six times aiokafka's rate. Blocks: use a thread.

    Errors of every method: confluent_kafka.KafkaException.
    """

    def __init__(self, bootstrap: str, place: Place) -> None:
        self.place = place
        quiet = getLogger("tertib.reading")
        quiet.propagate = False  # What goes wrong is raised; librdkafka would print it as well.
        quiet.addHandler(NullHandler())
        self._at = -1
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "tertib.reading",  # Never joined: librdkafka wants a name.
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "queued.max.messages.kbytes": 16_384,
                "log_level": 0,
            },
            logger=quiet,
        )

    def ends(self) -> tuple[int, int]:
        """Give the first offset there is, and the one after the last."""
        begin, end = self._consumer.get_watermark_offsets(
            TopicPartition(*self.place), timeout=TIMEOUT
        )
        return begin, end

    def read(self, offset: int, end: int) -> list[Record]:
        """Give the next records from an offset, below `end`; at least one."""
        if self._at != offset:
            self._consumer.assign([TopicPartition(*self.place, offset)])
        records: list[Record] = []
        while not records:
            for message in self._consumer.consume(min(CHUNK, end - offset), timeout=1.0):
                _check(message.error())
                if message.offset() < end:
                    records.append(_record(message))
        self._at = records[-1].offset + 1
        return records

    def all(self, begin: int, end: int) -> Iterator[Record]:
        """Give every record from an offset, below `end`."""
        while begin < end:
            records = self.read(begin, end)
            yield from records
            begin = records[-1].offset + 1

    def close(self) -> None:
        """Let the brokers go."""
        self._consumer.close()


def _check(error: KafkaError | None) -> None:
    if error is not None:
        raise KafkaException(error)


def _record(message: Any) -> Record:
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        message.headers() or (),
    )
