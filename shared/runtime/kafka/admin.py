"""Creates the topics: explicitly, never by a broker's default (design 2)."""

import asyncio
import time
from collections.abc import Iterable, Sequence

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from shared.errors import CannotRunError
from shared.runtime.kafka.client import admin_client
from shared.runtime.kafka.topics import Topic, topic

TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.05


class WrongPartitionsError(CannotRunError):
    """A topic exists with another number of partitions: its keys would be elsewhere."""


async def ensure(bootstrap: str, names: Iterable[str], replication: int = 1) -> None:
    """Create those of the topics that are missing; nothing that exists is changed.

    Errors: WrongPartitionsError for a topic that exists with another number of partitions;
    confluent_kafka.KafkaException if the brokers cannot be reached or refuse; TimeoutError.
    """
    topics = [topic(name) for name in dict.fromkeys(names)]
    await asyncio.to_thread(_ensure, bootstrap, topics, replication)


def _ensure(bootstrap: str, topics: Sequence[Topic], replication: int) -> None:
    admin = admin_client(bootstrap)
    there = _partitions(admin)
    missing = [topic for topic in topics if topic.name not in there]
    if missing:
        _create(admin, missing, replication)
        there = _partitions_of(admin, topics)
    for each in topics:
        if there[each.name] != each.partitions:
            message = f"{each.name} has {there[each.name]} partitions, not {each.partitions}"
            raise WrongPartitionsError(message)


def _create(admin: AdminClient, topics: Sequence[Topic], replication: int) -> None:
    futures = admin.create_topics(
        [
            NewTopic(
                topic.name,
                num_partitions=topic.partitions,
                replication_factor=replication,
                config=topic.config,
            )
            for topic in topics
        ],
        operation_timeout=TIMEOUT_SECONDS,
    )
    for future in futures.values():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # Another one was faster.
                raise


def _partitions_of(admin: AdminClient, topics: Sequence[Topic]) -> dict[str, int]:
    """Wait until the brokers know all topics: they learn of a new one from the controller."""
    until = time.monotonic() + TIMEOUT_SECONDS
    while True:
        there = _partitions(admin)
        missing = [topic.name for topic in topics if topic.name not in there]
        if not missing:
            return there
        if time.monotonic() > until:
            message = f"the brokers do not know of {', '.join(missing)}"
            raise TimeoutError(message)
        time.sleep(POLL_SECONDS)


def _partitions(admin: AdminClient) -> dict[str, int]:
    known = admin.list_topics(timeout=TIMEOUT_SECONDS).topics
    return {name: len(found.partitions) for name, found in known.items() if not found.error}
