"""The relay: everything said is published, in commit order, through kills and failures."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
)
from prometheus_client import REGISTRY

from shared.events.envelope import headers_of
from shared.local.kafka import admin_client
from shared.local.stack import LocalStack
from shared.runtime.kafka import admin
from shared.runtime.kafka.producer import ProducerConfig
from shared.runtime.kafka.topics import PARTITIONS
from shared.runtime.outbox.outbox_table import OutboxRestoredError
from shared.runtime.outbox.relay import Relay
from tests.kit.outboxes import TYPE, Outbox, an_outbox, until
from tests.kit.topic_log import records


@pytest.fixture
async def outbox(bootstrap: str, database: str, topic_prefix: str) -> AsyncIterator[Outbox]:
    topic = f"{topic_prefix}events.v1"
    await admin.ensure(bootstrap, [topic])
    async with an_outbox(bootstrap, database, topic) as made:
        yield made


def all_of(subjects: int, last: int) -> dict[str, list[int]]:
    return {f"E{each}": list(range(1, last + 1)) for each in range(subjects)}


async def test_an_event_becomes_a_record(outbox: Outbox) -> None:
    """Key, value and headers by which a reader skips without decoding (design 3)."""
    await outbox.say([("E1", 1)])
    async with outbox.relay() as relay:
        await outbox.drained(relay)

        assert relay.status.published == 1
    [record] = [each for some in records(outbox.bootstrap, outbox.topic).values() for each in some]
    assert (record.key(), record.value()) == (b"E1", b"1")
    assert record.headers() == headers_of(TYPE, "/toy/E1@1")


async def test_everything_is_published_once_and_in_order(outbox: Outbox) -> None:
    """More than a page and more than a window, part of it while the relay runs."""
    await outbox.say_many(400, range(1, 101))
    async with outbox.relay() as relay:
        await outbox.say_many(400, range(101, 151))
        await outbox.drained(relay)

        assert relay.status.published == 60_000
    assert outbox.published() == all_of(400, 150)


async def test_what_a_relay_does_is_counted(outbox: Outbox) -> None:
    def figures() -> list[float | None]:
        service = {"service": "toy", "outbox": "events"}
        names = ("tertib_relay_published_total", "tertib_relay_active")
        return [REGISTRY.get_sample_value(name, service) for name in names]

    before, _ = figures()
    await outbox.say_many(20, range(1, 4))
    async with outbox.relay() as relay:
        await outbox.drained(relay)
        await until(lambda: figures() == [(before or 0) + 60, 1])
    assert figures()[1] == 0


async def test_a_relay_goes_on_where_the_last_one_was(outbox: Outbox) -> None:
    for last in (1, 2, 3):
        await outbox.say_many(20, range(last, last + 1))
        async with outbox.relay() as relay:
            await outbox.drained(relay)

    assert outbox.published() == all_of(20, 3)


async def test_nothing_passes_a_transaction_that_began_before_it(outbox: Outbox) -> None:
    """Numbers become visible out of order: a reader of `id > last` would lose the first one."""
    slow = await asyncpg.connect(outbox.url)
    begun = slow.transaction()
    await begun.start()
    await outbox.say([("E1", 1)], slow)
    await outbox.say([("E1", 2)])
    async with outbox.relay() as relay:
        await until(lambda: relay.status.looks >= 3)
        assert outbox.published() == {}
        assert not await relay.drained()

        await begun.commit()
        await outbox.drained(relay)
    await slow.close()

    assert outbox.published() == {"E1": [1, 2]}


async def test_what_is_rolled_back_is_not_waited_for(outbox: Outbox) -> None:
    other = await asyncpg.connect(outbox.url)
    begun = other.transaction()
    await begun.start()
    await outbox.say([("E1", 9)], other)
    await outbox.say([("E1", 1)])
    await begun.rollback()
    await other.close()
    async with outbox.relay() as relay:
        await outbox.drained(relay)

    assert outbox.published() == {"E1": [1]}


@pytest.mark.system
@pytest.mark.parametrize("failpoint", ["relay_after_send", "relay_after_send:3"])
async def test_a_relay_killed_after_sending_loses_nothing(outbox: Outbox, failpoint: str) -> None:
    """Of what it had sent, any part may have arrived."""
    await outbox.say_many(400, range(1, 51))
    await outbox.killed_relay(failpoint)
    async with outbox.relay() as relay:
        await outbox.drained(relay)

    assert outbox.applied() == all_of(400, 50)


@pytest.mark.system
async def test_a_relay_killed_before_its_mark_only_repeats(outbox: Outbox) -> None:
    """The brokers have acknowledged everything, the cursor knows nothing of it (design 4)."""
    await outbox.say_many(40, range(1, 51))
    await outbox.killed_relay("relay_before_mark")
    assert outbox.published() == all_of(40, 50)
    async with outbox.relay() as relay:
        assert not await relay.drained()
        await outbox.drained(relay)

    once = list(range(1, 51))
    assert outbox.published() == {f"E{each}": once + once for each in range(40)}


async def test_a_relay_whose_sends_fail_for_a_while_reorders_nothing(
    bootstrap: str, database: str, topic_prefix: str
) -> None:
    """The broker refuses a record until its limit is raised; others are sent around it."""
    topic = f"{topic_prefix}events.v1"
    admin = admin_client(bootstrap)
    small = {"max.message.bytes": "20000", "compression.type": "uncompressed"}
    admin.create_topics([NewTopic(topic, PARTITIONS, 1, config=small)])[topic].result(30)
    settings: ProducerConfig = {"compression.type": "none", "batch.size": 4_000}
    async with an_outbox(bootstrap, database, topic) as outbox:
        await outbox.say_many(40, range(1, 26))
        await outbox.say([("E7", 26)], size=30_000)
        await outbox.say((f"E{each}", 26) for each in range(40) if each != 7)
        await outbox.say_many(40, range(27, 51))
        async with outbox.relay(settings) as relay:
            await until(lambda: relay.status.failures >= 3)
            assert not await relay.drained()
            assert outbox.published()["E7"][-1] <= 25
            _allow(admin, topic, "100000")
            await outbox.drained(relay)

        assert outbox.applied() == all_of(40, 50)


def _allow(admin: AdminClient, topic: str, largest: str) -> None:
    entry = ConfigEntry("max.message.bytes", largest, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(30)


@pytest.mark.system
async def test_a_relay_outlives_a_killed_broker(stack: LocalStack, outbox: Outbox) -> None:
    """Records in flight are sent again by the same session: none lost, none out of order."""
    async with outbox.relay() as relay:
        await outbox.say_many(400, range(1, 51))
        await until(lambda: relay.status.published > 0)
        stack.kafka.kill(1)
        try:
            await outbox.say_many(400, range(51, 101))
            sent = relay.status.published
            assert not await relay.drained()
        finally:
            stack.kafka.start(1)
            stack.kafka.wait_healthy()
        await outbox.drained(relay)

        assert sent < 40_000
    assert outbox.applied() == all_of(400, 100)


@pytest.mark.system
async def test_a_relay_outlives_its_database_connection(outbox: Outbox) -> None:
    async with outbox.relay() as relay:
        await outbox.say_many(40, range(1, 11))
        await outbox.drained(relay)
        ended = await outbox.connection.fetch(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert ended
        await outbox.say_many(40, range(11, 21))
        await until(lambda: relay.status.published == 800)

    assert outbox.applied() == all_of(40, 20)


async def test_of_two_relays_one_works_and_the_other_takes_over(outbox: Outbox) -> None:
    first = Relay(outbox.url, outbox.bootstrap, "toy")
    running = asyncio.create_task(first.run())
    await until(lambda: first.status.active)
    async with outbox.relay() as second:
        await outbox.say([("E1", 1)])
        await outbox.drained(first)
        assert not second.status.active

        running.cancel()
        await outbox.say([("E1", 2)])
        await outbox.drained(second)
        assert second.status.active

    assert outbox.published() == {"E1": [1, 2]}


async def test_a_restored_outbox_is_refused(outbox: Outbox) -> None:
    """New events would get numbers below the stored ones, and never be published."""
    await outbox.connection.execute(
        "INSERT INTO tertib.events (xid, topic, key, event_id, type, payload)"
        " VALUES ('12884902000', $1, 'E1', '/toy/E1@1', $2, '1')",
        outbox.topic,
        TYPE,
    )
    relay = Relay(outbox.url, outbox.bootstrap, "toy")

    with pytest.raises(OutboxRestoredError, match=r"pg_resetwal --epoch=4"):
        await relay.run()

    assert outbox.published() == {}


async def test_the_oldest_unsent_event_grows_older(outbox: Outbox) -> None:
    relay = Relay(outbox.url, outbox.bootstrap, "toy")
    assert await relay.oldest_unsent_seconds() is None
    await outbox.say([("E1", 1)])
    first = await relay.oldest_unsent_seconds()
    await outbox.say([("E1", 2)])
    second = await relay.oldest_unsent_seconds()

    assert first is not None
    assert second is not None
    assert 0 <= first < second
