"""Reading the tail of a topic without a group: what does it hold that a table does not know of."""

from collections.abc import Mapping

import msgspec
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from shared.errors import CannotRunError
from shared.runtime.kafka import log_ends
from shared.runtime.kafka.client import admin_client, reader
from shared.runtime.kafka.topics import PARTITIONS

TIMEOUT_SECONDS = 30.0
READ = 5_000

_MARK = b'"broadcastseq":'


class _Numbered(msgspec.Struct):
    broadcastseq: int = 0


_decoder = msgspec.json.Decoder(_Numbered)


class LogShrunkError(CannotRunError):
    """A partition ends before an offset that was read of it once: it is not the same log."""


def ends_of(bootstrap: str, topic: str) -> dict[int, int]:
    """Give the end offset of every partition. Blocks. Errors: confluent_kafka.KafkaException."""
    places = [(topic, partition) for partition in range(PARTITIONS)]
    ends = log_ends.ends_of(admin_client(bootstrap), places)
    return {partition: end for (_, partition), end in ends.items()}


def highest_broadcast(
    bootstrap: str, topic: str, begins: Mapping[int, int], beyond: int
) -> tuple[int, dict[int, int]]:
    """Search a topic from given offsets (else 0); give the highest number, and where it ended.

    Stops at the first number beyond the given one. Blocks.
    Errors: LogShrunkError; confluent_kafka.KafkaException or TimeoutError if no broker answers.
    """
    ends = ends_of(bootstrap, topic)
    consumer = reader(bootstrap)
    try:
        for partition, begin in begins.items():
            if begin > ends[partition]:
                message = (
                    f"{topic}, partition {partition}: {begin} was read, {ends[partition]} is left"
                )
                raise LogShrunkError(message)
        left = {p: end for p, end in ends.items() if begins.get(p, 0) < end}
        consumer.assign([TopicPartition(topic, p, begins.get(p, 0)) for p in left])
        highest = 0
        while left and highest <= beyond:
            for record in _read(consumer):
                highest = max(highest, _number(record.value()))
                if record.offset() + 1 >= left.get(record.partition(), 0):
                    left.pop(record.partition(), None)
        return highest, ends
    finally:
        consumer.close()


def _read(consumer: Consumer) -> list[Message]:
    """Wait for one record, then take what is there: `consume` alone waits for all it may bring."""
    first = consumer.poll(TIMEOUT_SECONDS)
    if first is None:
        message = "the brokers do not answer"
        raise TimeoutError(message)
    records: list[Message] = [first, *consumer.consume(READ, 0)]
    for record in records:
        if record.error():
            raise KafkaException(record.error())
    return records


def _number(value: bytes | None) -> int:
    if value is None or _MARK not in value:
        return 0
    try:
        return _decoder.decode(value).broadcastseq
    except msgspec.DecodeError:
        return 0  # Not ours: readers park it.
