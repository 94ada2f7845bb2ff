"""Topics are created by us, once, with the partitions they keep for life."""

import asyncio

import pytest
from confluent_kafka.admin import ConfigResource, NewTopic

from shared.local.kafka import admin_client
from shared.runtime.kafka import topics
from shared.runtime.kafka.admin import WrongPartitionsError, ensure


def test_the_catalogue_names_the_topics_of_the_design() -> None:
    assert set(topics.PUBLISHED) == {
        "attendance.facts.v1",
        "attendance.events.v1",
        "discipline.events.v1",
        "notifications.events.v1",
    }
    assert topics.parked_of("attendance.assessor") == "attendance.assessor.parked.v1"


@pytest.mark.parametrize(
    ("name", "largest"), [("events.v1", "1048588"), ("toy.sums.parked.v1", "4194304")]
)
async def test_a_topic_keeps_everything_for_ever(
    bootstrap: str, topic_prefix: str, name: str, largest: str
) -> None:
    """Never deleted, never compacted (design 2); a parked record may have 4 MiB (design 4)."""
    topic = topic_prefix + name
    await ensure(bootstrap, [topic])

    admin = admin_client(bootstrap)
    asked = ConfigResource(ConfigResource.Type.TOPIC, topic)
    config = admin.describe_configs([asked])[asked].result(30)
    assert len(admin.list_topics(timeout=30).topics[topic].partitions) == 24
    assert {
        key: config[key].value
        for key in ("retention.ms", "cleanup.policy", "compression.type", "max.message.bytes")
    } == {
        "retention.ms": "-1",
        "cleanup.policy": "delete",
        "compression.type": "zstd",
        "max.message.bytes": largest,
    }


async def test_several_may_ensure_the_same_topics(bootstrap: str, topic_prefix: str) -> None:
    names = [f"{topic_prefix}a.v1", f"{topic_prefix}b.v1"]

    await asyncio.gather(*(ensure(bootstrap, names) for _ in range(4)))
    await ensure(bootstrap, names)

    there = admin_client(bootstrap).list_topics(timeout=30).topics
    assert {len(there[name].partitions) for name in names} == {24}


async def test_another_number_of_partitions_is_refused(bootstrap: str, topic_prefix: str) -> None:
    """Keys would be elsewhere: a new count means a new topic (design 2)."""
    topic = f"{topic_prefix}old.v1"
    admin = admin_client(bootstrap)
    admin.create_topics([NewTopic(topic, 23, 1)])[topic].result(30)

    with pytest.raises(WrongPartitionsError, match=r"old\.v1 has 23 partitions, not 24"):
        await ensure(bootstrap, [topic])
