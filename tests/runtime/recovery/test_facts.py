"""The facts' publisher whose database is lost: by command it knows again what the topic holds."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from msgspec.structs import replace

from shared.errors import CannotRunError
from shared.runtime.broadcast.bulk import bulk_publisher
from shared.runtime.broadcast.conflicts import ConflictingBroadcastError
from shared.runtime.broadcast.guard import TopicAheadError
from shared.runtime.kafka import admin
from shared.runtime.recovery.facts import Adopted, recover_facts
from tests.kit.broadcasting import closing, tap
from tests.kit.servers import Servers

CLOSINGS = [closing(number) for number in range(1, 4)]
TAPS = [tap("E001", 1), tap("E002", 2)]


@pytest.fixture
async def topic(bootstrap: str, database: str, topic_prefix: str) -> str:
    """Give a topic of facts that the database has published."""
    name = f"{topic_prefix}facts.v1"
    await admin.ensure(bootstrap, [name])
    async with bulk_publisher(database, bootstrap, name, "tests") as publisher:
        await publisher.broadcast(CLOSINGS)
        await publisher.publish(TAPS)
    return name


@pytest.fixture
async def other_database(servers: Servers, database: str) -> AsyncIterator[str]:
    name = database.rpartition("/")[2].partition("?")[0] + "_anew"
    yield servers.create_database(name)
    servers.drop_database(name)


async def test_after_it_repetitions_add_nothing_and_numbers_go_on(
    bootstrap: str, topic: str, other_database: str
) -> None:
    with pytest.raises(TopicAheadError, match="tertib recover"):
        async with bulk_publisher(other_database, bootstrap, topic, "tests"):
            pytest.fail("it would give numbers twice")

    assert await recover_facts(other_database, bootstrap, topic) == Adopted(3, 2)

    assert await recover_facts(other_database, bootstrap, topic) == Adopted(0, 0)
    async with bulk_publisher(other_database, bootstrap, topic, "tests") as publisher:
        assert await publisher.broadcast([*CLOSINGS, closing(4)]) == 1
        assert await publisher.publish([*TAPS, tap("E003", 3)]) == 1
        with pytest.raises(ConflictingBroadcastError, match="broadcast 2"):
            await publisher.broadcast([replace(CLOSINGS[1], data={"number": 9, "text": ""})])
    connection = await asyncpg.connect(other_database)
    last = await connection.fetchval("SELECT max(broadcastseq) FROM tertib.known_broadcasts")
    await connection.close()
    assert last == 4


async def test_what_is_known_otherwise_is_not_taken_over(
    bootstrap: str, topic: str, database: str
) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(
        "UPDATE tertib.known_broadcasts SET value = value || ' '::bytea WHERE broadcastseq = 2"
    )
    await connection.close()

    with pytest.raises(CannotRunError, match=r"broadcast 2 .* with other bytes"):
        await recover_facts(database, bootstrap, topic)
