"""Sends records in bulk, in order, by librdkafka, where every record must be acknowledged.

A producer never gives up by itself (`message.timeout.ms=0`): with a timeout, a failed record that
is sent again lands behind its successors. After a failed delivery the producer must be replaced:
from then on it is unknown what was acknowledged, and the sender starts again from its own cursor.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import NoReturn

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, Message

from shared.errors import CannotRunError
from shared.runtime.kafka.client import QUIET, client_config
from shared.runtime.kafka.topics import PARKED_BYTES
from shared.runtime.observability import correlation

QUEUE_RECORDS = 500_000
QUEUE_KIB = 1 << 20  # Senders wait for acknowledgements long before this; it is the last resort.
FULL_SECONDS = 60.0
# What we gave up ourselves, when something else had failed.
_PURGED = frozenset({KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT})  # noqa: SLF001  (its names)
TURN_SECONDS = 0.25  # So long a cancelled flush keeps its thread.

Headers = list[tuple[str, bytes]]
ProducerConfig = dict[str, str | int | bool]

SETTINGS: ProducerConfig = {
    "acks": "all",
    "enable.idempotence": True,
    "enable.gapless.guarantee": True,  # A refused batch stops the producer: nothing overtakes it.
    "partitioner": "murmur2_random",  # Java's and aiokafka's; librdkafka's own is another one.
    "compression.type": "zstd",
    "message.timeout.ms": 0,
    "message.max.bytes": PARKED_BYTES,
    "linger.ms": 5,
    "queue.buffering.max.messages": QUEUE_RECORDS,
    "queue.buffering.max.kbytes": QUEUE_KIB,
    "delivery.report.only.error": True,  # A Python call for each success would halve the rate.
}


class DeliveryFailedError(CannotRunError):
    """A record was not acknowledged and never will be; the producer must be thrown away.

    A command that published may be repeated: what was acknowledged is not sent twice.

    `record`: what a log says of the first such record, if the brokers named one; what is refused
    is a whole batch, so it may be one beside the record that is to blame.
    """

    def __init__(self, reason: str, record: Mapping[str, str] | None = None) -> None:
        self.record = record or {}
        what = self.record.get("event_id", "a record")
        super().__init__(f"the brokers did not take {what}: {reason}")


class Producer:
    """One idempotent session with the brokers, for one task of one event loop.

    `settings` are librdkafka's own and go before ours (tests, security).
    """

    def __init__(self, bootstrap: str, settings: ProducerConfig | None = None) -> None:
        self._failed: str | None = None
        self._record: dict[str, str] = {}
        self._client = confluent_kafka.Producer(
            {
                **client_config(bootstrap),
                **SETTINGS,
                **(settings or {}),
                "on_delivery": self._refused,
            },
            logger=QUIET,
        )

    def send(
        self,
        topic: str,
        value: bytes,
        key: bytes | None = None,
        partition: int | None = None,
        headers: Headers | None = None,
    ) -> None:
        """Queue a record behind those sent before it; it is safe only after the next `flush`.

        Waits, and the event loop with it, while the queue is full: flush before that. Errors:
        DeliveryFailedError if anything failed before, or the queue stays full for a minute.
        """
        if self._failed is not None:
            raise DeliveryFailedError(self._failed, self._record)
        if partition is None:
            partition = -1  # By the key.
        try:
            self._client.produce(topic, value, key, partition, headers=headers)
        except BufferError:
            self._wait_for_room(topic, value, key, partition, headers)
        except KafkaException as error:
            self._fail(error)

    async def flush(self) -> None:
        """Wait, however long it takes, until everything sent is acknowledged.

        Errors: DeliveryFailedError at the first record that never will be.
        """
        left = 1
        while self._failed is None and left:
            try:
                left = await asyncio.to_thread(self._client.flush, TURN_SECONDS)
            except KafkaException as error:
                self._fail(error)
        if self._failed is not None:
            raise DeliveryFailedError(self._failed, self._record)

    def serve(self) -> None:
        """Take in the answers that are there, without waiting."""
        if self._client is not None:
            self._client.poll(0)

    def abandon(self) -> None:
        """Drop everything that is not acknowledged. The producer cannot be used any more.

        The client and its threads end here: it knows our callback and we know it, and the
        collector, which would find the two, looks seldom. A relay that the brokers refuse for
        long had hundreds of threads of producers that nobody used.
        """
        self._failed = self._failed or "abandoned"
        if (client := self._client) is not None:
            self._client = None
            client.purge()
            client.poll(0)

    def _wait_for_room(
        self, topic: str, value: bytes, key: bytes | None, partition: int, headers: Headers | None
    ) -> None:
        until = time.monotonic() + FULL_SECONDS
        while time.monotonic() < until:
            self._client.poll(0.05)
            if self._failed is not None:
                break
            try:
                self._client.produce(topic, value, key, partition, headers=headers)
            except BufferError:
                continue
            except KafkaException as error:
                self._fail(error)
            return
        self._fail(BufferError("the queue stays full"))

    def _refused(self, error: KafkaError | None, record: Message) -> None:
        if error is None or error.code() in _PURGED:
            return
        self._failed = self._failed or str(error)
        if not self._record:
            self._record = {"topic": record.topic() or "", **correlation.ids_of(record.value())}

    def _fail(self, reason: Exception) -> NoReturn:
        self._failed = self._failed or str(reason)
        with suppress(KafkaException):
            self._client.poll(0)  # The answer that names the record comes behind the failure.
        raise DeliveryFailedError(self._failed, self._record) from reason
