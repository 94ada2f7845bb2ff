"""A service whose database is lost, or restored from a backup, on the topics that it wrote.

It goes on where it was, or does not start: nobody ever reads other bytes under a known id.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from shared.events.envelope import Envelope
from shared.runtime.consumer.runner import Runner
from shared.runtime.kafka.partition_reader import PartitionReader
from shared.runtime.kafka.records import head_of
from shared.runtime.limits import Limits
from shared.runtime.outbox import outbox_table
from shared.runtime.outbox.relay import Relay
from shared.runtime.parking import queries, queue
from shared.runtime.processing.command_handler import handle
from shared.runtime.processing.stamping import Times
from shared.runtime.rebuild.published_log import records_of, wait_until_published
from shared.runtime.rebuild.refolding import Report
from shared.runtime.recovery.recovery import PublishedDiffersError, recover
from tests.kit.flow import PARTITIONS, Log
from tests.kit.servers import Servers
from tests.kit.toy import Toy
from tests.kit.toy_facts import check_in, closed, registered
from tests.runtime.rebuild.test_rebuild import PEOPLE, Silent, a_month
from tests.runtime.rebuild.test_told_events import NOW, Desk

LIMITS = Limits(partitions=PARTITIONS, session_ms=6_000)


@dataclass
class Running:
    """A toy that runs with its relay on some database."""

    log: Log
    database: str
    runner: Runner
    recovery: Report | None

    async def hears(self, *said: Envelope) -> None:
        for each in said:
            if each.broadcastseq is None:
                self.log.publish("facts", [each])
            else:
                self.log.publish_everywhere("facts", each)
        await self.settled()

    async def settled(self) -> None:
        """Wait until all is taken, and published."""
        async with asyncio.timeout(60):
            await self.runner.caught_up(self.log.ends(self.runner.projection))
        await wait_until_published(self.runner.store.pool)

    async def sums(self) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(self.database)
        try:
            rows = await connection.fetch("SELECT * FROM read.toy_sums ORDER BY subject")
        finally:
            await connection.close()
        return [tuple(row) for row in rows]


@asynccontextmanager
async def started(log: Log, database: str, toy: Toy | None = None) -> AsyncIterator[Running]:
    """Start a toy as a service does: what its tables lack first, then its consumer and relay."""
    made = toy or Toy(f"{log.prefix}facts", f"{log.prefix}sums")
    recovery = await recover(made, log.bootstrap, database, limits=LIMITS)
    runner = Runner(made, log.bootstrap, database, LIMITS)
    await runner.start()
    connection = await asyncpg.connect(database)
    await outbox_table.prepare(connection)
    await connection.close()
    relay = asyncio.create_task(Relay(database, log.bootstrap, "attendance").run())
    try:
        yield Running(log, database, runner, recovery)
    finally:
        relay.cancel()
        await asyncio.wait([relay])
        await runner.stop()


@pytest.fixture
def log(bootstrap: str, topic_prefix: str) -> Log:
    made = Log(bootstrap, topic_prefix)
    made.create("facts", "facts.events", "sums.parked.v1")
    return made


@pytest.fixture
async def other_database(servers: Servers, database: str) -> AsyncIterator[str]:
    """Give an empty database beside the one that is lost."""
    name = database.rpartition("/")[2].partition("?")[0] + "_anew"
    yield servers.create_database(name)
    servers.drop_database(name)


def said(log: Log, topic: str = "facts.events") -> list[tuple[str, bytes]]:
    """Give what was ever published: ids with values."""
    reading = PartitionReader(log.bootstrap)
    try:
        return [
            (head_of(record.value).id, record.value)
            for number in range(PARTITIONS)
            for record in records_of(reading, (log.prefix + topic, number))
        ]
    finally:
        reading.close()


async def test_a_lost_database_is_folded_anew_and_nothing_is_said_twice(
    log: Log, database: str, other_database: str
) -> None:
    async with started(log, database) as first:
        assert first.recovery is None  # A first start, on topics that are empty.
        await first.hears(*a_month(1))
        before, published = await first.sums(), said(log)

    async with started(log, other_database) as anew:
        assert anew.recovery is not None
        assert anew.recovery.events == len(published) == 80
        assert await anew.sums() == before
        await anew.hears(*a_month(6))
        after = said(log)

    assert Counter(id_ for id_, _ in after) == Counter({id_: 1 for id_, _ in after})
    assert dict(published).items() <= dict(after).items()
    assert len(after) == 160


@pytest.mark.parametrize("changed", ["factor", "silent"])
async def test_a_code_that_concludes_otherwise_does_not_start_on_a_lost_database(
    log: Log, database: str, other_database: str, changed: str
) -> None:
    async with started(log, database) as first:
        await first.hears(*a_month(1))
    published, topic, name = said(log), f"{log.prefix}facts", f"{log.prefix}sums"
    other = Toy(topic, name, factor=2) if changed == "factor" else Silent(topic, name)
    where = "data.late_minutes was" if changed == "factor" else "p3@1 was published, and is not"

    with pytest.raises(PublishedDiffersError, match=where):
        async with started(log, other_database, other):
            pytest.fail("it started")

    assert said(log) == published
    connection = await asyncpg.connect(other_database)
    try:
        assert await connection.fetchval("SELECT count(*) FROM tertib.table_set") == 0
        assert await connection.fetchval("SELECT count(*) FROM tertib.events") == 0
    finally:
        await connection.close()
    async with started(log, other_database) as anew:  # The right one does.
        assert anew.recovery is not None


async def test_what_was_concluded_and_never_published_is_said_once(
    log: Log, database: str, other_database: str
) -> None:
    async with started(log, database) as first:
        await first.hears(*a_month(1))
    # While the service is away more is heard: concluded by nobody yet.
    for each in a_month(6):
        if each.broadcastseq is None:
            log.publish("facts", [each])
        else:
            log.publish_everywhere("facts", each)

    async with started(log, other_database) as anew:
        assert len(await unsent(other_database)) == 80
        await anew.settled()
        after = said(log)

    assert len(after) == len(dict(after)) == 160


async def unsent(database: str) -> list[str]:
    connection = await asyncpg.connect(database)
    try:
        return [row["event_id"] for row in await connection.fetch("TABLE tertib.events")]
    finally:
        await connection.close()


async def copied(servers: Servers, source: str, target: str) -> None:
    """Take a backup: nobody may be connected to the source."""
    one, other = (url.rpartition("/")[2].partition("?")[0] for url in (source, target))
    servers.drop_database(other)
    connection = await asyncpg.connect(servers.admin_url)
    try:
        await connection.execute(f'CREATE DATABASE {other} OWNER "{servers.owner}" TEMPLATE {one}')
    finally:
        await connection.close()


async def test_a_database_of_yesterday_adopts_what_the_topic_has_beyond_it(
    servers: Servers, log: Log, database: str, other_database: str
) -> None:
    async with started(log, database) as first:
        await first.hears(*a_month(1))
    await copied(servers, database, other_database)
    async with started(log, database) as first:
        assert first.recovery is None  # It knows all that was said.
        await first.hears(*a_month(6))
        today, published = await first.sums(), said(log)
    toy = Toy(f"{log.prefix}facts", f"{log.prefix}sums", factor=2)

    with pytest.raises(PublishedDiffersError, match=r"data\.late_minutes was"):
        async with started(log, other_database, toy):
            pytest.fail("it started")
    assert said(log) == published
    async with started(log, other_database) as anew:
        assert anew.recovery is not None
        assert await anew.sums() == today
        await anew.hears(*a_month(11))
        after = said(log)

    assert len(dict(after)) == 240
    assert {id_: value for id_, value in after if id_ in dict(published)} == dict(published)
    assert all(dict(after)[id_] == value for id_, value in after)  # One id, the same bytes.


async def test_what_operators_gave_up_is_left_out_after_a_loss(
    log: Log, database: str, other_database: str
) -> None:
    """They are told of on the parked topic, by where the records stand on the log."""
    async with started(log, database) as first:
        await first.hears(registered(1), *(check_in(who, 1, 1) for who in PEOPLE))
        for who in ("p1", "p2", "p4"):
            log.write("facts", who, "tertib.attendance.CheckInRecorded.v1", "bad", [b"{"])
        await first.hears(*(check_in(who, 2, 2) for who in PEOPLE), closed(2))
        store = first.runner.store
        for who, goes_on in (("p1", True), ("p2", False)):  # p4 waits, untouched.
            (row, *_) = await queries.listed(store, who)
            assert await queue.discard(store, who, row["id"], "not JSON", "tester")
            if goes_on:
                assert (await queue.retry(store, who, "tester")).waiting == 0
        await first.hears(check_in("p1", 3, 3))
        before, published = await first.sums(), said(log)
        parked = said_parked(log)
        waiting = await waits(first)

    async with started(log, other_database) as anew:
        assert anew.recovery is not None
        assert await anew.sums() == before
        assert await waits(anew) == waiting
        assert {who for who, *_ in waiting} == {"p2", "p4"}
        await anew.settled()
        assert said(log) == published
        assert said_parked(log) == parked


async def test_what_waits_after_a_loss_and_was_never_told_of_is_told(
    log: Log, database: str, other_database: str
) -> None:
    """It came while the service was away: the parked topic hears of it, as it would have."""
    async with started(log, database) as first:
        await first.hears(registered(1), *(check_in(who, 1, 1) for who in PEOPLE))
    log.write("facts", "p1", "tertib.attendance.CheckInRecorded.v1", "bad", [b"{"])

    async with started(log, other_database) as anew:
        await anew.settled()
        assert [who for who, *_ in await waits(anew)] == ["p1"]
        assert said_parked(log) == 1


async def test_what_officials_told_is_taken_as_given_after_a_loss(
    log: Log, database: str, other_database: str
) -> None:
    """Numbers go on: what is told next gets none that stands on the topic."""

    def desk() -> Desk:
        return Desk(f"{log.prefix}facts", f"{log.prefix}sums")

    async def grants(service: Running, amount: int) -> None:
        times = Times(NOW, NOW, causationid="form", actor="official")
        store = await service.runner.store.live()
        await handle(store, "p1", lambda state, _: desk().told(state, amount), times)
        await wait_until_published(service.runner.store.pool)

    async with started(log, database, desk()) as first:
        await first.hears(registered(1), check_in("p1", 1, 1))
        await grants(first, 1_000)
        await first.hears(check_in("p1", 2, 2), closed(2))
        await grants(first, 2_000)
        before, published = await first.sums(), said(log)

    async with started(log, other_database, desk()) as anew:
        assert await anew.sums() == before
        assert before[0][2] == 3_103
        await grants(anew, 5)
        after = said(log)

    assert dict(published).items() < dict(after).items()
    assert sorted(id_ for id_, _ in after) == [f"/attendance/p1@{n}" for n in range(1, 7)]


async def waits(service: Running) -> Sequence[tuple[Any, ...]]:
    rows = await queries.listed(service.runner.store)
    return sorted((row["subject"], row["partition"], row["offset"]) for row in rows)


def said_parked(log: Log) -> int:
    reading = PartitionReader(log.bootstrap)
    try:
        return sum(
            len(list(records_of(reading, (f"{log.prefix}sums.parked.v1", number))))
            for number in range(PARTITIONS)
        )
    finally:
        reading.close()
