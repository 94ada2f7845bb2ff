"""From news on Kafka to an inbox, through the real planner, directory and sender."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from services.notifications.channels.inbox import Inbox
from services.notifications.directory import Directory
from services.notifications.domain import Delivered
from services.notifications.jobs import Bucket
from services.notifications.outcome_writer import OutcomeWriter
from services.notifications.projections import Planner
from services.notifications.resolving import KeyringOpener
from services.notifications.sender import Outlet, Sender
from services.notifications.store import SenderStore
from shared.events import attendance, discipline, notifications
from shared.events.attendance import Contact, EmployeeRegistered
from shared.events.base import Fact, Sealed
from shared.events.envelope import Envelope
from shared.events.sealing import person_kid, place_of, seal
from shared.events.structs import as_struct
from shared.runtime.consumer.runner import Runner
from tests.kit.flow import Log, caught_up, prefixed, running
from tests.kit.keyring import MemoryKeyring
from tests.notifications.examples import proposed, reached
from tests.notifications.test_directory import line, regency, unit
from tests.notifications.test_projections import Enveloped


@dataclass
class Service:
    """The parts of the service, running, and a keyring that knows everybody."""

    log: Log
    planner: Runner
    directory: Runner
    pool: "asyncpg.Pool[Any]"
    keyring: MemoryKeyring

    def sender(self) -> Sender:
        return Sender(
            SenderStore(self.pool),
            KeyringOpener(self.keyring),
            {"inbox": Outlet(Inbox(self.pool), Bucket(1000, 1000), is_quiet=True)},
            self.outcomes(),
        )

    def outcomes(self) -> OutcomeWriter:
        at = datetime(2026, 3, 2, 2, 0, 0, 5, tzinfo=UTC)
        return OutcomeWriter(self.planner.store, lambda: at)

    async def register(self, *people: str, mail: str | None = None) -> None:
        """Publish a regency, a unit that `chief` heads, and people in it who share a mailbox."""
        facts: list[tuple[Fact, str]] = [(regency(), "53.01"), (unit(), "53.01")]
        for each in people:
            sealed = await self._sealed(each, mail) if mail else None
            contacts = (Contact(channel="mail", address=sealed),) if sealed else ()
            name = await self._sealed(each, f"Name of {each}")
            facts.append((line(each, name=name, contacts=contacts), each))
        envelopes = [
            Envelope(
                id=f"fact-{number}",
                source="/attendance",
                subject=subject,
                broadcastseq=number if fact.BROADCAST else None,
                type=type(fact).type_name(),
                regency="53.01",
                time="2026-01-01T00:00:00+08:00",
                recordedtime="2026-01-01T00:00:00+08:00",
                data=as_struct(fact),
            )
            for number, (fact, subject) in enumerate(facts, start=1)
        ]
        for envelope in envelopes:
            if envelope.broadcastseq is None:
                self.log.publish(attendance.FACTS, [envelope])
            else:
                self.log.publish_everywhere(attendance.FACTS, envelope)
        await caught_up(self.log, self.directory)

    async def _sealed(self, person: str, text: str) -> Sealed:
        kid = person_kid(person)
        key = (await self.keyring.keys_of([kid], create=True))[kid]
        assert key is not None
        place = place_of(EmployeeRegistered.type_name(), person)
        return seal(key, kid, place, text)

    async def events(self) -> Sequence[tuple[str, str]]:
        rows = await self.pool.fetch("SELECT type, payload FROM tertib.events ORDER BY xid, id")
        return [(row["type"].split(".")[2], row["payload"].decode()) for row in rows]


@pytest.fixture
async def service(bootstrap: str, database: str, topic_prefix: str) -> AsyncIterator[Service]:
    log = Log(bootstrap, topic_prefix)
    log.create(attendance.FACTS, attendance.EVENTS, discipline.EVENTS, notifications.EVENTS)
    async with AsyncExitStack() as stack:
        planner = await stack.enter_async_context(
            running(log, prefixed(Planner(), topic_prefix), database)
        )
        directory = await stack.enter_async_context(
            running(log, prefixed(Directory(), topic_prefix), database)
        )
        pool = await stack.enter_async_context(
            asyncpg.create_pool(database, min_size=1, max_size=4)
        )
        await SenderStore(pool).prepare()
        yield Service(log, planner, directory, pool, MemoryKeyring())


async def settled(service: Service) -> Counter[str]:
    """Run the sender until nothing is queued, and count the outcomes."""
    sender = service.sender()
    running_ = asyncio.create_task(sender.run())
    async with asyncio.timeout(60):
        while await service.pool.fetchval(  # noqa: ASYNC110  (see below)
            "SELECT count(*) FROM read.notices WHERE outcome = 'queued'"
        ):
            await asyncio.sleep(0.05)  # The sender tells the database, and nobody else.
    sender.stopping.set()
    await running_
    rows = await service.pool.fetch("SELECT channel, outcome, reason FROM read.notices")
    return Counter(" ".join(filter(None, row)) for row in rows)


async def test_news_become_notices_once_and_each_gets_its_outcome(service: Service) -> None:
    """Every record three times; the planner learns first, the directory later."""
    service.log.publish(attendance.EVENTS, [numbered(reached(), 1)], copies=3)
    service.log.publish(discipline.EVENTS, [numbered(proposed(), 1)], copies=3)
    await caught_up(service.log, service.planner)
    await service.register("A", "chief")

    counts = await settled(service)

    assert counts == {
        "inbox delivered": 2,
        "inbox failed already_told": 1,
        "mail failed channel_off": 3,
        "whatsapp failed channel_off": 1,
    }
    events = await service.events()
    assert Counter(kind for kind, _ in events) == {
        "NotificationQueued": 7,
        "NotificationDelivered": 2,
        "NotificationFailed": 5,
    }
    assert '"subjectseq":14' in events[-1][1]
    delivered = next(text for kind, text in events if kind == "NotificationDelivered")
    assert '"time":"2026-03-02T02:00:00+00:00"' in delivered
    assert "Name of" not in str(events)
    inbox = Inbox(service.pool)
    assert [e.template for e in await inbox.entries("A")] == ["threshold-reached"]
    assert [e.template for e in await inbox.entries("chief")] == ["sanction-proposed"]


async def test_planner_and_sender_write_one_person_at_the_same_time(service: Service) -> None:
    """One of them reads again; nothing is lost, and the numbers stay dense."""
    await service.register("A", "chief")
    sender = service.sender()
    sending = asyncio.create_task(sender.run())
    for number in range(1, 31):
        service.log.publish(
            attendance.EVENTS, [numbered(reached(f"/attendance/A@{number}"), number)]
        )
        await asyncio.sleep(0)
    await caught_up(service.log, service.planner)
    sender.stopping.set()
    await sending

    counts = await settled(service)

    assert counts == {
        "inbox delivered": 30,
        "mail failed channel_off": 30,
        "whatsapp failed channel_off": 30,
    }
    events = await service.events()
    numbers = [int(text.split('"subjectseq":')[1].split(",")[0]) for _, text in events]
    assert numbers == list(range(1, 181))
    repeated = "SELECT count(*) FROM read.notices WHERE outcome = 'delivered' AND attempts > 1"
    assert await service.pool.fetchval(repeated) == 0


async def test_outcomes_that_come_together_are_told_together(service: Service) -> None:
    """A transaction each would hold up thousands of notices; whoever is parked holds up nobody."""
    people = [f"P{number}" for number in range(20)]
    news = [reached(f"/attendance/{who}@1", person=who) for who in people]
    service.log.publish(attendance.EVENTS, [numbered(each, 1) for each in news])
    await caught_up(service.log, service.planner)
    await park(service, people[0])
    write = service.outcomes()
    jobs = await SenderStore(service.pool).due("inbox", datetime(2026, 3, 3, tzinfo=UTC), 100)
    assert len(jobs) == len(people)
    before = len(await transactions(service))

    telling = {
        job.employee_id: asyncio.create_task(
            write(job, Delivered(job.employee_id, job.notification_id, 1))
        )
        for job in jobs
    }
    parked = telling.pop(people[0])
    async with asyncio.timeout(30):
        await asyncio.gather(*telling.values())

    assert len(await transactions(service)) - before <= 2  # The first may have gone alone.
    assert not parked.done()
    await park(service, people[0], parked=False)
    async with asyncio.timeout(30):
        await parked
    rows = await service.pool.fetch("SELECT outcome FROM read.notices WHERE channel = 'inbox'")
    assert [row["outcome"] for row in rows] == ["delivered"] * len(people)


async def park(service: Service, person: str, *, parked: bool = True) -> None:
    """Let the records of a person wait, or no longer."""
    schema = service.planner.store.schema
    await service.pool.execute(
        f"UPDATE {schema}.subjects SET parked = $2 WHERE subject = $1",  # noqa: S608  (ours)
        person,
        parked,
    )


async def transactions(service: Service) -> set[str]:
    """Give the transactions that told something."""
    return {row["xid"] for row in await service.pool.fetch("SELECT xid::text FROM tertib.events")}


def numbered(heard: Any, number: int) -> Envelope:
    """Give the event as the first of its source on the log: what stood before is left out."""
    event = Enveloped()(heard)
    return Envelope(
        **{name: getattr(event, name) for name in event.__struct_fields__} | {"subjectseq": number}
    )
