"""Topics to publish to and a runner to follow them, on the real servers."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from shared.events.envelope import Envelope, canonical, headers_of
from shared.runtime.consumer.runner import Runner
from shared.runtime.limits import Limits
from shared.runtime.projection import Projection

PARTITIONS = 2  # People fall on both.


class Log:
    """Topics of one test: their names carry its prefix."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self._producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2"})
        self._ends: dict[tuple[str, int], int] = {}

    def create(self, *topics: str) -> None:
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        new = [NewTopic(self.prefix + each, PARTITIONS, 1) for each in topics]
        for future in admin.create_topics(new).values():
            future.result(timeout=30)
        self._ends |= {(self.prefix + each, n): 0 for each in topics for n in range(PARTITIONS)}

    def publish(self, topic: str, envelopes: Iterable[Envelope], copies: int = 1) -> None:
        """Write events to their topic, each so many times in a row, and wait until they stand."""
        for envelope in envelopes:
            value = canonical(envelope)
            self.write(topic, envelope.subject, envelope.type, envelope.id, [value] * copies)

    def write(self, topic: str, key: str, type_: str, id_: str, values: Sequence[bytes]) -> None:
        """Write values as one fact's records."""
        for value in values:
            self._producer.produce(
                self.prefix + topic,
                value,
                key.encode(),
                headers=headers_of(type_, id_),
                on_delivery=self._stands,
            )
        assert self._producer.flush(30) == 0

    def publish_everywhere(self, topic: str, envelope: Envelope) -> None:
        """Write a broadcast to every partition."""
        value, headers = canonical(envelope), headers_of(envelope.type, envelope.id)
        for number in range(PARTITIONS):
            self._producer.produce(
                self.prefix + topic,
                value,
                envelope.subject.encode(),
                partition=number,
                headers=headers,
                on_delivery=self._stands,
            )
        assert self._producer.flush(30) == 0

    def ends(self, projection: Projection[Any, Any]) -> dict[tuple[str, int], int]:
        """Give where the topics of a projection end, as far as this log was written."""
        return {place: end for place, end in self._ends.items() if place[0] in projection.topics}

    def _stands(self, error: object, message: Any) -> None:
        assert error is None
        self._ends[message.topic(), message.partition()] = message.offset() + 1


def prefixed(projection: Any, prefix: str) -> Any:
    """Let a projection hear the topics of a test, in a group of its own."""
    projection.topics = tuple(prefix + topic for topic in projection.topics)
    return projection


@asynccontextmanager
async def running(log: Log, projection: Any, database: str) -> AsyncIterator[Runner]:
    """Run a projection; inside, `await caught_up(log, runner)`."""
    runner = Runner(projection, log.bootstrap, database, Limits(partitions=PARTITIONS))
    runner.group = log.prefix + runner.group
    await runner.start()
    try:
        yield runner
    finally:
        await runner.stop()


async def caught_up(log: Log, runner: Runner) -> None:
    """Wait until a runner has taken all that was written."""
    async with asyncio.timeout(60):
        await runner.caught_up(log.ends(runner.projection))
