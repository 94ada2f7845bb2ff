"""One suite for both stores: memory and PostgreSQL promise the same, and refuse the same."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from shared.runtime.limits import Limits
from shared.runtime.parking import queries
from shared.runtime.processing.halt import HALT_KINDS, Halt, waits_for_operator
from shared.runtime.processing.state import Cursor, SubjectState
from shared.runtime.processing.store_port import BroadcastContradictionError, WriteConflictError
from shared.runtime.processing.write_batch import Parked, WriteBatch
from shared.runtime.projection import Changes
from shared.runtime.storage import table_sets
from shared.runtime.storage.event_sink import CollectedEvents
from shared.runtime.storage.outbox_sink import LiveOutbox
from shared.runtime.storage.store import PostgresStore
from tests.kit.memory_store import MemoryStore
from tests.kit.toy import HISTORY, SUMS, TAKEN, Sum, Toy
from tests.kit.toy_memory import ANSWERS, TOPIC

PLACE = TOPIC, 0
LIMITS = Limits(partitions=2)
Tested = MemoryStore | PostgresStore


@pytest.fixture
async def pool(request: pytest.FixtureRequest) -> AsyncIterator[asyncpg.Pool]:
    """Give connections to an empty database."""
    database = request.getfixturevalue("database")
    async with asyncpg.create_pool(database, min_size=1, max_size=4) as made:
        yield made


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, servers: object) -> AsyncIterator[Tested]:
    """Give an empty store with the first cursors of two partitions."""
    del servers  # Asked for here, so that they are started before the first test.
    toy = Toy(TOPIC)
    if request.param == "memory":
        yield MemoryStore(toy, ANSWERS, LIMITS.partitions)
        return
    database = request.getfixturevalue("database")
    async with asyncpg.create_pool(database, min_size=1, max_size=4) as made:
        async with made.acquire() as connection:
            schema = await table_sets.ensure(connection, toy, LIMITS.partitions)
        yield PostgresStore(made, toy, schema, LiveOutbox())


async def commit(
    store: Tested, writes: WriteBatch, rows: dict[str, Changes] | None = None
) -> None:
    """Commit a transaction: rows given, and guards as they were read."""
    assert writes.rows(store.projection) == {}
    await store.commit(writes, rows or {})


async def claimed(store: Tested) -> Cursor:
    (cursor,) = await store.claim([PLACE], "member")
    return cursor


def moved(base: Cursor, offset: int, last_subject: str = "", broadcast: int = 0) -> WriteBatch:
    """Give a transaction that moves a cursor."""
    to = base._replace(next_offset=offset, last_subject=last_subject, broadcast=broadcast)
    return WriteBatch(bases={PLACE: base}, cursors={PLACE: to._replace(tail=b"12345678")})


async def entry(store: Tested, subject: str = "a") -> SubjectState:
    (found,) = await store.entries({subject: 0})
    return found


def rows_of(subject: str, *amounts: int) -> dict[str, Changes]:
    """Give the rows of a toy's subject."""
    taken = [(subject, n, f"{subject}{n}", amount) for n, amount in enumerate(amounts, start=1)]
    total = (subject, len(amounts), sum(amounts), 0)
    return {SUMS: Changes(upserts=[total]), TAKEN: Changes(inserts=list(taken))}


async def test_a_claim_takes_a_cursor_over(store: Tested) -> None:
    """Its epoch grows each time; a partition that was never bootstrapped is missing."""
    first, second = await claimed(store), await claimed(store)

    assert (first.next_offset, first.epoch, second.epoch) == (0, 1, 2)
    assert await store.claim([(TOPIC, 7)], "member") == []
    assert await store.cursors([(TOPIC, 7)]) == []


async def test_what_was_committed_is_read_again(store: Tested) -> None:
    """Rows, numbers, parking, cursor and names, as they were written."""
    base, found = await claimed(store), await entry(store)
    found.last_seq, found.heard, found.parked = 3, {"/upstream": 9}, True
    writes = moved(base, 5, "a", 2)
    writes.touched = [found]
    await commit(store, writes, rows_of("a", 4, 5))
    again = await entry(store)
    (cursor,) = await store.cursors([PLACE])
    (part,) = await store.partitions([cursor], LIMITS)

    assert (again.version, again.last_seq, again.heard, again.parked, again.partition) == (
        1,
        3,
        {"/upstream": 9},
        True,
        0,
    )
    assert isinstance(again.state, Sum)
    assert (again.state.count, again.state.total, again.state.facts) == (2, 9, {"a1", "a2"})
    assert cursor[2:7] == (5, "a", 2, base.epoch, b"12345678")
    assert (part.next_offset, part.last_subject, part.broadcast, part.names) == (5, "a", 2, ["a"])
    assert sorted(await store.older(HISTORY, "a")) == [("a", 1, 4), ("a", 2, 5)]


@pytest.mark.parametrize(
    "stale", [{"epoch": 1}, {"next_offset": 4}, {"last_subject": "b"}], ids=lambda each: str(*each)
)
async def test_a_stale_cursor_writes_nothing(store: Tested, stale: dict[str, Any]) -> None:
    """Who was overtaken: by epoch, by offset, or within a broadcast."""
    await commit(store, moved(await claimed(store), 5, "a"))
    base = await claimed(store)
    writes = moved(base._replace(**stale), 9)
    writes.touched = [await entry(store)]

    with pytest.raises(WriteConflictError):
        await commit(store, writes, rows_of("a", 4))

    assert (await store.cursors([PLACE]))[0][2:4] == (5, "a")
    assert (await entry(store)).version == 0
    assert await store.older(HISTORY, "a") == []


async def test_a_stale_subject_writes_nothing(store: Tested) -> None:
    """Two read one row and write it: the second one loses, cursor and all."""
    base = await claimed(store)
    await commit(store, WriteBatch(touched=[await entry(store)]))
    one, other = await entry(store), await entry(store)
    await commit(store, WriteBatch(touched=[one]), rows_of("a", 4))
    writes = moved(base, 5)
    writes.touched = [await entry(store, "b"), other]

    with pytest.raises(WriteConflictError):
        await commit(store, writes, rows_of("b", 1))

    assert (await store.cursors([PLACE]))[0].next_offset == 0
    assert (await entry(store, "b")).version == 0


async def test_a_new_subject_is_made_once(store: Tested) -> None:
    """Two have never heard of somebody: the second one loses."""
    one, other = await entry(store), await entry(store)
    await commit(store, WriteBatch(touched=[one]))

    with pytest.raises(WriteConflictError):
        await commit(store, WriteBatch(touched=[other]))

    assert (await entry(store)).version == 1


async def test_writers_at_one_time_never_both_win(store: Tested) -> None:
    """Eight write one subject, as they read it: one after the other, or one alone."""
    await commit(store, WriteBatch(touched=[await entry(store)]))

    async def write() -> bool:
        try:
            await commit(store, WriteBatch(touched=[await entry(store)]))
        except WriteConflictError:
            return False
        return True

    won = await asyncio.gather(*(write() for _ in range(8)))

    assert (await entry(store)).version == 1 + sum(won)
    assert any(won)


async def test_a_broadcast_with_other_bytes_halts(store: Tested) -> None:
    """The same number said something else in another partition: nothing is written."""
    first = moved(await claimed(store), 1, broadcast=1)
    first.broadcasts = {1: ("id", "type", b"one")}
    await commit(store, first)
    again = moved(await claimed(store), 2, broadcast=1)
    again.bases = {PLACE: (await store.cursors([PLACE]))[0]}
    again.cursors = {PLACE: again.bases[PLACE]._replace(next_offset=2)}
    again.broadcasts = {1: ("id", "type", b"other")}

    with pytest.raises(BroadcastContradictionError) as halt:
        await commit(store, again)

    assert halt.value.broadcast == 1
    assert (await store.cursors([PLACE]))[0].next_offset == 1
    again.broadcasts = {1: ("id", "type", b"one")}
    await commit(store, again)
    assert (await store.cursors([PLACE]))[0].next_offset == 2


async def test_a_queue_is_kept_in_the_order_of_the_log(store: Tested) -> None:
    """Bytes and headers as they came; what was settled waits no more."""
    headers = [("ce_type", b"\xff\x00"), ("ce_id", b"1")]
    writes = WriteBatch(touched=[await entry(store)])
    row = Parked("a", TOPIC, 0, 7, b"\xff{", headers, 3, None, "decode", "bad bytes")
    writes.parked = [row, replace_of(row, 8, reference=4), replace_of(row, 9, value=None)]
    await commit(store, writes)
    queue = await store.queue("a")

    assert [(each.value, each.broadcast, each.reference, each.reason) for each in queue] == [
        (b"\xff{", 3, None, "decode"),
        (b"\xff{", 3, 4, "decode"),
        (None, 3, None, "decode"),
    ]
    assert queue[0].headers == headers
    settled = WriteBatch(touched=[await entry(store)], settled={queue[1].id: "applied"})
    await commit(store, settled)
    assert [each.id for each in await store.queue("a")] == [queue[0].id, queue[2].id]
    assert await store.queue("b") == []


def replace_of(row: Parked, offset: int, **more: Any) -> Parked:
    return row._replace(offset=offset, **more)


async def test_why_a_partition_stands_is_kept_until_the_next_claim(store: Tested) -> None:
    """Of the brake alone an operator must say that it may go on."""
    lost, brake = Halt("history_lost", "what is lost"), Halt("brake", "20 parked in a row")
    cursor = await claimed(store)
    await store.stop(cursor, lost)
    assert (await store.cursors([PLACE]))[0].stopped == lost
    cursor = await claimed(store)
    assert cursor.stopped is None
    await store.stop(cursor._replace(epoch=1), Halt("gap", "said by a zombie"))
    assert (await store.cursors([PLACE]))[0].stopped is None

    await store.stop(cursor, brake)
    assert (await claimed(store)).stopped == brake
    await store.stop((await store.cursors([PLACE]))[0], None)
    assert (await store.cursors([PLACE]))[0].stopped is None


async def test_a_claim_forgets_what_it_looks_at_again(store: Tested) -> None:
    """Each kind of halt, in memory as in PostgreSQL."""
    for kind in HALT_KINDS:
        halt = Halt(kind, f"because of {kind}")
        await store.stop(await claimed(store), halt)

        assert (await claimed(store)).stopped == (halt if waits_for_operator(kind) else None)


async def test_a_halt_of_no_known_kind_waits_for_an_operator(pool: asyncpg.Pool) -> None:
    """Stored before kinds were, or by newer code: a claim alone does not let it go on."""
    toy = Toy(TOPIC)
    async with pool.acquire() as connection:
        schema = await table_sets.ensure(connection, toy, 1)
        await connection.execute(f"ALTER TABLE {schema}.cursors DROP COLUMN stopped_kind")
        await connection.execute(
            f"UPDATE {schema}.cursors SET stopped = 'as it was said'"  # noqa: S608  (its own name)
        )
        assert await table_sets.ensure(connection, toy, 1) == schema
    store = PostgresStore(pool, toy, schema, LiveOutbox())

    assert (await claimed(store)).stopped == Halt("unknown", "as it was said")
    await pool.execute(
        f"UPDATE {schema}.cursors SET stopped_kind = 'of tomorrow'"  # noqa: S608  (its own name)
    )
    assert (await claimed(store)).stopped == Halt("unknown", "as it was said")
    assert await queries.resume(store) == 1
    assert (await claimed(store)).stopped is None


async def test_names_are_in_bytewise_order(store: Tested) -> None:
    """As the cursor within a broadcast goes: capitals, then small ones, then beyond ASCII."""
    names = ["a", "Z", "é", "a-1", "aa", "B", "\U0001f600", "\uffee"]
    made = await store.entries(dict.fromkeys(names, 0))
    other = await store.entries({"elsewhere": 1})
    await commit(store, WriteBatch(touched=[*made, *other]))
    (part,) = await store.partitions([await claimed(store)], LIMITS)

    assert part.names == sorted(names, key=lambda name: name.encode())
    assert part.names == ["B", "Z", "a", "a-1", "aa", "é", "\uffee", "\U0001f600"]


async def test_a_writer_of_tables_that_are_not_live_is_refused(pool: asyncpg.Pool) -> None:
    """A rebuild has switched: he would write into the past, and finds the new ones."""
    toy = Toy(TOPIC)
    async with pool.acquire() as connection:
        old = PostgresStore(pool, toy, await table_sets.ensure(connection, toy, 1), LiveOutbox())
        async with connection.transaction():
            new = await table_sets.create(connection, toy, 1)
            await table_sets.switch(connection, toy, new)
    cursor = await claimed(old)

    with pytest.raises(WriteConflictError):
        await commit(old, moved(cursor, 1))

    live = await old.live()
    assert live.schema == new
    await commit(live, moved(await claimed(live), 1))
    assert await (await live.live()).cursors([PLACE]) == await live.cursors([PLACE])


class Looking(LiveOutbox):
    """The way of the live set, which looks at the transaction that it is given."""

    seen = ""

    async def take(self, connection: Any, projection: str, writes: WriteBatch) -> None:
        await super().take(connection, projection, writes)
        self.seen = await connection.fetchval("SHOW transaction_isolation")


class LookingAside(CollectedEvents):
    """The way of a rebuild, likewise."""

    seen = ""

    async def take(self, connection: Any, projection: str, writes: WriteBatch) -> None:
        await super().take(connection, projection, writes)
        self.seen = await connection.fetchval("SHOW transaction_isolation")


async def test_where_events_go_is_chosen_where_the_store_is_made(pool: asyncpg.Pool) -> None:
    """Live: into the outbox, with what is parked. A rebuild: to who asks, and nowhere else."""
    toy = Toy(TOPIC)
    async with pool.acquire() as connection:
        live = await table_sets.ensure(connection, toy, 1)
        async with connection.transaction():
            new = await table_sets.create(connection, toy, 1)
    outbox, aside = Looking(), LookingAside()
    event = ("toy.facts.events", "a", "/attendance/a@1", "type", b"{}")
    for schema, sink in ((new, aside), (live, outbox)):
        store = PostgresStore(pool, toy, schema, sink)
        writes = WriteBatch(touched=[await entry(store)], events=[event])
        writes.parked = [Parked("a", TOPIC, 0, 7, b"{", [], 0, None, "decode", "bad bytes")]
        await commit(store, writes)
        assert len(await store.queue("a")) == 1
        sent = await pool.fetch("SELECT topic FROM tertib.events ORDER BY id")
        expected = [] if sink is aside else ["toy.sums.parked.v1", "toy.facts.events"]
        assert [row["topic"] for row in sent] == expected

    assert (outbox.seen, aside.seen) == ("repeatable read", "read committed")
    assert (aside.drained(), aside.drained()) == ([event], [])


async def test_a_rebuild_stays_with_its_own_tables(pool: asyncpg.Pool) -> None:
    """It writes what is not live, and is led nowhere else by what is."""
    toy = Toy(TOPIC)
    async with pool.acquire() as connection:
        await table_sets.ensure(connection, toy, 1)
        async with connection.transaction():
            new = await table_sets.create(connection, toy, 1)
    store = PostgresStore(pool, toy, new, CollectedEvents())
    await commit(store, moved(await claimed(store), 1))

    assert await store.live() is store
    assert (await store.cursors([PLACE]))[0].next_offset == 1


async def test_tables_of_another_version_are_not_taken_for_ours(pool: asyncpg.Pool) -> None:
    """A new version begins with a rebuild, never on the tables of the old one."""
    toy = Toy(TOPIC)
    async with pool.acquire() as connection:
        schema = await table_sets.ensure(connection, toy, 1)
        toy.version = 2
        with pytest.raises(
            table_sets.OtherVersionError, match="@1: run `tertib rebuild attendance`"
        ):
            await table_sets.ensure(connection, toy, 1)
        toy.version = 1
        assert await table_sets.ensure(connection, toy, 1) == schema
