"""Reading the tail of a topic without a group: what does it hold that a table does not know of."""

import time
from collections.abc import Mapping
from logging import NullHandler, getLogger

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from shared.runtime.errors import CannotRun
from shared.runtime.kafka.topics import PARTITIONS

TIMEOUT_SECONDS = 30.0
READ = 5_000

LEADERLESS = {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE}

_MARK = b'"broadcastseq":'


class _Numbered(msgspec.Struct):
    broadcastseq: int = 0


_decoder = msgspec.json.Decoder(_Numbered)


class LogShrunk(CannotRun):
    """A partition ends before an offset that was read of it once: it is not the same log."""


def ends_of(bootstrap: str, topic: str) -> dict[int, int]:
    """Give the end offset of every partition. Blocks. Errors: confluent_kafka.KafkaException."""
    consumer = _consumer(bootstrap)
    try:
        return _ends(consumer, topic)
    finally:
        consumer.close()


def highest_broadcast(
    bootstrap: str, topic: str, begins: Mapping[int, int], beyond: int
) -> tuple[int, dict[int, int]]:
    """Search a topic from given offsets (else 0); give the highest number, and where it ended.

    Stops at the first number beyond the given one. Blocks.
    Errors: LogShrunk; confluent_kafka.KafkaException or TimeoutError if no broker answers.
    """
    consumer = _consumer(bootstrap)
    try:
        ends = _ends(consumer, topic)
        for partition, begin in begins.items():
            if begin > ends[partition]:
                message = (
                    f"{topic}, partition {partition}: {begin} was read, {ends[partition]} is left"
                )
                raise LogShrunk(message)
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


def _ends(consumer: Consumer, topic: str) -> dict[int, int]:
    until = time.monotonic() + TIMEOUT_SECONDS
    return {partition: _end(consumer, topic, partition, until) for partition in range(PARTITIONS)}


def _end(consumer: Consumer, topic: str, partition: int, until: float) -> int:
    """Ask for an end until a leader answers: a topic that was just made has none."""
    while True:
        try:
            asked = TopicPartition(topic, partition)
            end: int = consumer.get_watermark_offsets(asked, timeout=TIMEOUT_SECONDS)[1]
        except KafkaException as error:
            if error.args[0].code() not in LEADERLESS or time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return end


def _consumer(bootstrap: str) -> Consumer:
    quiet = getLogger("tertib.logends")
    quiet.propagate = False  # Failures are raised; librdkafka would print them as well.
    quiet.addHandler(NullHandler())
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "tertib.logends",  # Asked for by the library; no group is joined.
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "log_level": 0,
        },
        logger=quiet,
    )
