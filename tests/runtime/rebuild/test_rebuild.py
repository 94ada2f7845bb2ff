"""A rebuild on a real broker: equal tables take over, different ones are refused, nobody hears."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from shared.errors import CannotRunError
from shared.events.base import NewEvent
from shared.events.envelope import Envelope
from shared.runtime.consumer.runner import Runner
from shared.runtime.limits import Limits
from shared.runtime.outbox import outbox_table
from shared.runtime.outbox.relay import Relay
from shared.runtime.parking import queries, queue
from shared.runtime.processing.stamping import Event
from shared.runtime.rebuild.comparison import Comparison
from shared.runtime.rebuild.rebuild import rebuild
from shared.runtime.rebuild.refolding import Done, Report
from tests.kit.flow import PARTITIONS, Log
from tests.kit.toy import Known, Sum, Toy
from tests.kit.toy_facts import check_in, closed, registered

LIMITS = Limits(partitions=PARTITIONS, session_ms=6_000)
PEOPLE = [f"p{number}" for number in range(8)]


@dataclass
class Service:
    """A toy that runs with its relay, and its log."""

    log: Log
    database: str
    runner: Runner
    name: str

    def say(self, *said: Envelope) -> None:
        for each in said:
            if each.broadcastseq is None:
                self.log.publish("facts", [each])
            else:
                self.log.publish_everywhere("facts", each)

    async def caught_up(self) -> None:
        async with asyncio.timeout(60):
            await self.runner.caught_up(self.log.ends(self.runner.projection))

    async def rebuild(self, toy: Toy | None = None, **more: Any) -> Report:
        return await rebuild(
            toy or Toy(f"{self.log.prefix}facts", self.name),
            self.log.bootstrap,
            self.database,
            **{"limits": LIMITS, **more},
        )

    async def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(self.database)
        try:
            return [tuple(row) for row in await connection.fetch(sql, *values)]
        finally:
            await connection.close()

    async def sums(self) -> list[tuple[Any, ...]]:
        """Give what readers see."""
        return await self.ask("SELECT * FROM read.toy_sums ORDER BY subject")

    async def events(self) -> list[tuple[Any, ...]]:
        """Give the outbox: what will ever be sent."""
        return await self.ask("SELECT event_id, payload FROM tertib.events ORDER BY xid, id")

    async def schemas(self) -> list[str]:
        rows = await self.ask("SELECT schema FROM tertib.table_set WHERE live")
        return [row[0] for row in rows]


@asynccontextmanager
async def running(bootstrap: str, database: str, prefix: str) -> AsyncIterator[Service]:
    log, name = Log(bootstrap, prefix), f"{prefix}sums"
    log.create("facts", "facts.events", "sums.parked.v1")
    runner = Runner(Toy(f"{prefix}facts", name), bootstrap, database, LIMITS)
    await runner.start()
    connection = await asyncpg.connect(database)
    await outbox_table.prepare(connection)
    await connection.close()
    relay = asyncio.create_task(Relay(database, bootstrap, "attendance").run())
    try:
        yield Service(log, database, runner, name)
    finally:
        relay.cancel()
        await asyncio.wait([relay])
        await runner.stop()


@pytest.fixture
async def service(bootstrap: str, database: str, topic_prefix: str) -> AsyncIterator[Service]:
    async with running(bootstrap, database, topic_prefix) as made:
        yield made


def a_month(first: int) -> list[Envelope]:
    """Give check-ins of everybody, among closings."""
    said = [registered(1)] if first == 1 else []
    for day in range(first, first + 5):
        said += [check_in(who, day * 100 + n, n + day) for n, who in enumerate(PEOPLE)]
        said.append(closed(day + 1))
    return said


def assert_equal(report: Report, told: Sequence[Done], events: int) -> None:
    """Everything was folded and compared, nothing differs, and the new tables are live."""
    assert report.differences == []
    assert report.switched
    assert report.events == events
    assert told[-1].folded == told[-1].total == report.records


class Silent(Toy):
    """A toy that says nothing of one person any more."""

    def fold(
        self, state: Sum, heard: Envelope, knowledge: Known, last_seq: int, /
    ) -> Sequence[NewEvent]:
        told = super().fold(state, heard, knowledge, last_seq)
        return () if state.subject == "p3" else told


async def test_equal_tables_take_over_and_nothing_is_sent(service: Service) -> None:
    service.say(*a_month(1))
    await service.caught_up()
    before, sent, (old,) = await service.sums(), await service.events(), await service.schemas()
    told: list[Done] = []

    report = await service.rebuild(progress=told.append)

    assert_equal(report, told, len(sent))
    assert len(sent) == 8 * 10
    assert await service.sums() == before
    assert await service.events() == sent
    assert await service.schemas() == [report.schema]
    assert report.schema != old


async def test_the_running_consumer_goes_on_in_the_new_tables(service: Service) -> None:
    service.say(*a_month(1))
    await service.caught_up()
    report = await service.rebuild()

    service.say(*a_month(6))
    await service.caught_up()

    rows = await service.ask(f"SELECT * FROM {report.schema}.toy_sums ORDER BY subject")  # noqa: S608  (our own name)
    assert rows == await service.sums()
    assert [row[1] for row in rows] == [10] * 8
    # Every number once: what was said before the switch, and what after.
    ids = [name for name, _ in await service.events()]
    assert len(set(ids)) == len(ids) == 8 * 20


async def test_a_rebuild_under_load_loses_nothing(service: Service) -> None:
    """Facts that come while it folds are caught up with before the switch, or come after it."""
    service.say(*a_month(1))
    await service.caught_up()

    async def go_on() -> None:
        for first in (6, 11, 16, 21):
            await asyncio.to_thread(service.say, *a_month(first))

    load = asyncio.create_task(go_on())
    reports = [await service.rebuild()]
    while not load.done():
        reports.append(await service.rebuild())
    await load
    await service.caught_up()

    assert all(report.switched for report in reports)
    assert [row[1] for row in await service.sums()] == [25] * 8
    ids = [name for name, _ in await service.events()]
    assert len(set(ids)) == len(ids) == 8 * 50
    assert (await service.rebuild()).switched


@pytest.mark.parametrize("changed", ["factor", "silent"])
async def test_tables_that_differ_are_refused_and_leave_nothing(
    service: Service, changed: str
) -> None:
    service.say(*a_month(1))
    await service.caught_up()
    before, sent, live = await service.sums(), await service.events(), await service.schemas()
    topic = f"{service.log.prefix}facts"
    toy = (
        Toy(topic, service.name, factor=2) if changed == "factor" else Silent(topic, service.name)
    )

    report = await service.rebuild(toy)

    assert not report.switched
    said = "with other bytes" if changed == "factor" else "is not concluded again"
    assert all(said in difference for difference in report.differences)
    assert len(report.differences) == 10
    assert await service.sums() == before
    assert await service.events() == sent
    assert await service.schemas() == live
    sets = await service.ask("SELECT nspname FROM pg_namespace WHERE nspname LIKE '%sums_v1%'")
    assert [name for (name,) in sets] == live


async def test_events_are_not_kept_until_they_are_compared(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a province that would be gigabytes a year: each step is digested at once."""
    service.say(registered(1), *(check_in("p1", number, 1) for number in range(300)))
    await service.caught_up()
    handed: list[int] = []
    take = Comparison.take

    def seen(self: Comparison, concluded: list[Event]) -> None:
        handed.append(len(concluded))
        take(self, concluded)

    monkeypatch.setattr(Comparison, "take", seen)
    report = await service.rebuild(limits=replace(LIMITS, budget=20))

    assert report.switched
    assert report.events == sum(handed) == 300
    assert max(handed) <= 20


async def test_what_was_parked_discarded_and_retried_ends_alike(service: Service) -> None:
    service.say(*a_month(1))
    service.log.write("facts", "p1", "tertib.attendance.CheckInRecorded.v1", "bad", [b"{"])
    service.say(*a_month(6))
    await service.caught_up()
    (row, *_) = await queries.listed(service.runner.store, "p1")
    assert (await service.rebuild()).switched  # Parked there as well as here.
    store = await service.runner.store.live()
    (row, *_) = await queries.listed(store, "p1")
    assert await queue.discard(store, "p1", row["id"], "not JSON", "tester")
    outcome = await queue.retry(store, "p1", "tester")
    assert (outcome.applied, outcome.waiting) == (10, 0)
    before, sent = await service.sums(), await service.events()

    report = await service.rebuild()

    assert report.differences == []
    assert await service.sums() == before
    assert await service.events() == sent
    assert [row[1] for row in before] == [10] * 8


async def test_queues_that_drained_in_part_end_alike(service: Service) -> None:
    """Behind a gap that was filled another waits; behind what was applied one is stuck."""
    service.say(registered(1), *(check_in(who, 1, 1, seq=1) for who in PEOPLE))
    service.say(*(check_in("p2", number, number, seq=number) for number in (3, 2, 5)))
    said: tuple[int | str, ...] = ("bad", 10, "bad", 20)
    service.say(*(check_in("p4", number, what) for number, what in enumerate(said, 2)))
    service.say(closed(2))
    await service.caught_up()
    store = service.runner.store
    (first, *_) = await queries.listed(store, "p4")
    assert await queue.discard(store, "p4", first["id"], "no number", "tester")
    outcome = await queue.retry(store, "p4", "tester")
    assert (outcome.applied, outcome.waiting) == (1, 3)
    waiting = "SELECT subject, \"offset\" FROM {}.parked WHERE state = 'waiting' ORDER BY 1, 2"
    before = await service.ask(waiting.format(store.schema))
    sums = await service.sums()
    assert {row[0]: row[1:3] for row in sums if row[0] in {"p2", "p4"}} == {
        "p2": (3, 6),
        "p4": (2, 11),
    }

    report = await service.rebuild()

    assert report.differences == []
    assert await service.sums() == sums
    (live,) = await service.schemas()
    assert live != store.schema
    assert await service.ask(waiting.format(live)) == before


async def test_nothing_is_rebuilt_of_a_log_that_lost_its_beginning(service: Service) -> None:
    service.say(*a_month(1))
    await service.caught_up()
    admin = AdminClient({"bootstrap.servers": service.log.bootstrap})
    place = TopicPartition(f"{service.log.prefix}facts", 0, 3)
    for future in admin.delete_records([place]).values():
        future.result(timeout=30)

    with pytest.raises(CannotRunError, match="not whole"):
        await service.rebuild()
    assert len(await service.schemas()) == 1
