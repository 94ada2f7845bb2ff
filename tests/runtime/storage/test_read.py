"""What services may ask of a projection's live tables."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.events.envelope import canonical
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.write_batch import WriteBatch
from shared.runtime.projection import Changes
from shared.runtime.storage import table_sets
from shared.runtime.storage.outbox_sink import LiveOutbox
from shared.runtime.storage.read import Position, live_tables
from shared.runtime.storage.store import PostgresStore
from tests.kit.toy import HISTORY, SUMS, TAKEN, Toy
from tests.kit.toy_facts import registered
from tests.kit.toy_memory import TOPIC


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    made = await asyncpg.connect(database)
    yield made
    await made.close()


async def with_two_subjects(database: str) -> None:
    """Keep `a` with two rows, and `b` with a queue, in partition 1 behind one broadcast."""
    toy = Toy(TOPIC)
    async with asyncpg.create_pool(database, min_size=1, max_size=2) as pool:
        async with pool.acquire() as one:
            store = PostgresStore(pool, toy, await table_sets.ensure(one, toy, 2), LiveOutbox())
        place: TopicPartition = (TOPIC, 1)
        (base,) = await store.claim([place], "member")
        a, b = await store.entries({"a": 1, "b": 1})
        b.parked = True
        fact = registered(1)
        writes = WriteBatch(
            bases={place: base},
            cursors={place: base._replace(next_offset=3, broadcast=1, tail=b"12345678")},
            touched=[a, b],
        )
        writes.broadcasts[1] = fact.id, fact.type, canonical(fact)
        assert writes.rows(toy) == {}
        rows = {
            SUMS: Changes(upserts=[("a", 2, 9, 0)]),
            TAKEN: Changes(inserts=[("a", 1, "a1", 4), ("a", 2, "a2", 5)]),
        }
        await store.commit(writes, rows)


async def test_a_service_asks_by_name_and_writes_no_sql(
    database: str, connection: asyncpg.Connection
) -> None:
    await with_two_subjects(database)
    async with live_tables(connection, Toy(TOPIC)) as tables:
        assert tables is not None
        assert await tables.position_of("a") == Position(1, 1)
        assert await tables.position_of("nobody") is None
        assert await tables.rows(HISTORY, "a") == [("a", 1, 4), ("a", 2, 5)]
        assert await tables.rows_of([HISTORY], "b") == {"history": []}
        assert await tables.parked_among(["a", "b", "nobody"]) == {"b"}


async def test_knowledge_is_as_of_a_broadcast(
    database: str, connection: asyncpg.Connection
) -> None:
    """What a subject was judged by is what was known where it stands, and no more."""
    await with_two_subjects(database)
    async with live_tables(connection, Toy(TOPIC)) as tables:
        assert tables is not None
        assert (await tables.knowledge(0)).regencies == set()
        assert (await tables.knowledge(1)).regencies == {"53.01"}


async def test_tables_that_were_never_made_are_none(
    database: str, connection: asyncpg.Connection
) -> None:
    """An empty database, and one in which another projection alone was started."""
    async with live_tables(connection, Toy(TOPIC)) as tables:
        assert tables is None
    await with_two_subjects(database)
    async with live_tables(connection, Toy(TOPIC, "toy.others")) as tables:
        assert tables is None


async def test_a_rebuild_that_switches_meanwhile_is_not_seen(
    database: str, connection: asyncpg.Connection
) -> None:
    """One moment: half of the answer from the old tables and half from the new would be false."""
    await with_two_subjects(database)
    toy = Toy(TOPIC)
    async with live_tables(connection, toy) as tables:
        assert tables is not None
        assert await tables.position_of("a") == Position(1, 1)
        other = await asyncpg.connect(database)
        async with other.transaction():
            await table_sets.switch(other, toy, await table_sets.create(other, toy, 2))
        await other.close()
        assert await tables.rows(HISTORY, "a") == [("a", 1, 4), ("a", 2, 5)]
    async with live_tables(connection, toy) as tables:
        assert tables is not None
        assert await tables.position_of("a") is None
