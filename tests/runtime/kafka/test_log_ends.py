"""Where partitions begin and end."""

import asyncio

import pytest
from confluent_kafka import Producer

from shared.runtime.kafka import admin
from shared.runtime.kafka.client import admin_client
from shared.runtime.kafka.log_ends import NoSuchTopicError, bounds_of, ends_of


@pytest.fixture
async def topic(bootstrap: str, topic_prefix: str) -> str:
    """Give a topic with three records on partition 2."""
    name = f"{topic_prefix}facts.v1"
    await admin.ensure(bootstrap, [name])
    producer = Producer({"bootstrap.servers": bootstrap})
    for _ in range(3):
        producer.produce(name, b"{}", partition=2)
    producer.flush()
    return name


def test_ends_of_several_partitions_are_asked_at_once(bootstrap: str, topic: str) -> None:
    places = [(topic, number) for number in range(24)]

    ends = ends_of(admin_client(bootstrap), places)

    assert ends == {place: 3 if place[1] == 2 else 0 for place in places}
    assert ends_of(admin_client(bootstrap), []) == {}


def test_a_partition_has_a_beginning_and_an_end(bootstrap: str, topic: str) -> None:
    assert bounds_of(admin_client(bootstrap), (topic, 2)) == (0, 3)


def test_whoever_asks_for_bounds_is_told_at_once_that_there_is_no_such_topic(
    bootstrap: str, topic_prefix: str
) -> None:
    """A rebuild asks of topics on which nothing was ever published."""
    with pytest.raises(NoSuchTopicError):
        bounds_of(admin_client(bootstrap), (f"{topic_prefix}never", 0))


async def test_ends_of_a_topic_that_is_made_meanwhile_are_waited_for(
    bootstrap: str, topic_prefix: str
) -> None:
    name = f"{topic_prefix}later.v1"
    asking = asyncio.create_task(asyncio.to_thread(ends_of, admin_client(bootstrap), [(name, 0)]))
    await asyncio.sleep(0)
    await admin.ensure(bootstrap, [name])

    assert await asking == {(name, 0): 0}
