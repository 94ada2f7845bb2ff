"""A rebuild of a service whose officials tell things: each stands where it was told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import pytest

from shared.events import notifications
from shared.events.base import NewEvent
from shared.events.envelope import Envelope, canonical, headers_of
from shared.events.structs import maker_of
from shared.runtime.consumer.runner import Runner
from shared.runtime.kafka.records import Record
from shared.runtime.limits import Limits
from shared.runtime.outbox import outbox_table
from shared.runtime.outbox.relay import Relay
from shared.runtime.processing.command_handler import handle
from shared.runtime.processing.stamping import Times
from shared.runtime.rebuild.rebuild import rebuild
from shared.runtime.rebuild.refolding import Report
from shared.runtime.rebuild.told_events import ToldEvents
from tests.kit.flow import PARTITIONS, Log
from tests.kit.toy import Known, Sum, Toy
from tests.kit.toy_facts import REGENCY, check_in, closed, registered

NOW = "2026-02-01T09:00:00+08:00"
LIMITS = Limits(partitions=PARTITIONS, session_ms=6_000)
GRANTED = notifications.NotificationDelivered.type_name()


class Desk(Toy):
    """A toy at which an official grants amounts: told, and part of every later sum."""

    def __init__(self, topic: str, name: str, *, tells: bool = True) -> None:
        super().__init__(topic, name, commands=True)
        kind: Any = notifications.NotificationDelivered
        self.granted: Any = type(kind.__name__, (kind,), {"TOPIC": f"{topic}.events"})
        self.hears = (*Toy.hears, self.granted)
        self.tells = (self.granted,) if tells else ()

    def fold(
        self, state: Sum, heard: Envelope, knowledge: Known, last_seq: int, /
    ) -> Sequence[NewEvent]:
        if heard.type != GRANTED:
            return super().fold(state, heard, knowledge, last_seq)
        self.grant(state, heard.data.attempts)
        return ()

    def grant(self, state: Sum, amount: int) -> None:
        state.total += amount
        state.changed = True

    def told(self, state: Sum, amount: int) -> Sequence[NewEvent]:
        """Give what an official's command changes and tells."""
        self.grant(state, amount)
        data = maker_of(notifications.NotificationDelivered)(
            notification_id="n",
            employee_id=state.subject,
            recipient_id=state.subject,
            role="employee",
            channel="inbox",
            about_event_id="e",
            attempts=amount,
        )
        return (NewEvent(self.granted, data, REGENCY),)


class Office:
    """A desk that runs with its relay, and its log."""

    def __init__(self, log: Log, database: str) -> None:
        self.log = log
        self.database = database
        self.desk = Desk(f"{log.prefix}facts", f"{log.prefix}sums")
        self.runner = Runner(self.desk, log.bootstrap, database, LIMITS)

    async def hears(self, *said: Envelope) -> None:
        for each in said:
            if each.broadcastseq is None:
                self.log.publish("facts", [each])
            else:
                self.log.publish_everywhere("facts", each)
        async with asyncio.timeout(60):
            await self.runner.caught_up(self.log.ends(self.desk))

    async def grants(self, subject: str, amount: int) -> None:
        times = Times(NOW, NOW, causationid="form", actor="official")
        store = await self.runner.store.live()
        await handle(store, subject, lambda state, _: self.desk.told(state, amount), times)

    async def rebuilt(self, desk: Toy | None = None) -> Report:
        made = desk or self.desk
        return await rebuild(made, self.log.bootstrap, self.database, limits=LIMITS)

    async def sums(self) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(self.database)
        try:
            rows = await connection.fetch("SELECT * FROM read.toy_sums ORDER BY subject")
        finally:
            await connection.close()
        return [tuple(row) for row in rows]


@pytest.fixture
async def office(bootstrap: str, database: str, topic_prefix: str) -> AsyncIterator[Office]:
    log = Log(bootstrap, topic_prefix)
    await asyncio.to_thread(log.create, "facts", "facts.events", "sums.parked.v1")
    made = Office(log, database)
    await made.runner.start()
    connection = await asyncpg.connect(database)
    await outbox_table.prepare(connection)
    await connection.close()
    relay = asyncio.create_task(Relay(database, bootstrap, "attendance").run())
    yield made
    relay.cancel()
    await asyncio.wait([relay])
    await made.runner.stop()


async def a_story(office: Office) -> None:
    """Grants among facts and closings, before the next is concluded and after the last."""
    await office.hears(registered(1), *(check_in(who, 0, 1) for who in "abc"))
    await office.grants("a", 1_000)
    await office.hears(check_in("a", 1, 5), closed(2), check_in("b", 1, 5))
    await office.grants("b", 2_000)
    await office.grants("b", 3_000)
    await office.hears(check_in("b", 2, 7), closed(3))
    await office.grants("c", 4_000)


async def test_what_was_told_is_folded_as_given_where_it_was_told(office: Office) -> None:
    await a_story(office)
    before = await office.sums()

    report = await office.rebuilt()

    assert (report.differences, report.switched) == ([], True)
    assert await office.sums() == before
    assert [row[2] for row in before] == [1_206, 5_213, 4_201]
    await office.hears(check_in("c", 1, 9))
    assert (await office.rebuilt()).switched


async def test_without_it_the_same_log_is_refused(office: Office) -> None:
    """The test above would not notice a told event that changes nothing."""
    await a_story(office)

    report = await office.rebuilt(
        Desk(f"{office.log.prefix}facts", f"{office.log.prefix}sums", tells=False)
    )

    assert not report.switched
    assert any("with other bytes" in each for each in report.differences)


def own(offset: int, seq: int, cause: str, *, told: bool = False) -> Record:
    type_ = GRANTED if told else "tertib.attendance.WorkdayAssessed.v1"
    said = {
        "id": f"/attendance/a@{seq}",
        "subject": "a",
        "type": type_,
        "subjectseq": seq,
        "causationid": cause,
    }
    return Record("own", 0, offset, b"a", canonical(said), ())


def fact(name: str) -> Record:
    return Record("facts", 0, 0, b"a", b"{}", headers_of("t", name))


def test_order_of_what_was_told_first_last_and_repeatedly() -> None:
    first, second = own(0, 1, "form", told=True), own(3, 3, "form", told=True)
    published = [first, own(1, 2, "f1"), own(2, 1, "form", told=True), second]

    order = ToldEvents(published, frozenset({GRANTED}))
    facts = [fact("f0"), fact("f1"), fact("f2")]

    assert order.weave(facts) == [facts[0], first, facts[1], second, facts[2]]
    assert order.rest() == []


def test_what_nothing_was_concluded_beside_comes_last() -> None:
    told = own(0, 1, "form", told=True)

    order = ToldEvents([told], frozenset({GRANTED}))

    assert order.weave([fact("f0")]) == [fact("f0")]
    assert order.rest() == [told]
