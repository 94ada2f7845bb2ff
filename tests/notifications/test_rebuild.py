"""A rebuild of the planner under a running sender, on a stack of its own: nothing is sent."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import pytest

from services.notifications.directory import Directory
from services.notifications.jobs import Bucket
from services.notifications.outcome_writer import OutcomeWriter
from services.notifications.projections import Planner
from services.notifications.resolving import KeyringOpener
from services.notifications.sender import Outlet, Sender
from services.notifications.store import SenderStore
from shared.events import attendance, discipline, notifications
from shared.local.stack import LocalStack
from shared.runtime.limits import Limits
from shared.runtime.outbox.relay import Relay
from shared.runtime.rebuild.published_log import wait_until_published
from shared.runtime.rebuild.rebuild import rebuild
from shared.runtime.recovery.recovery import recover
from tests.kit.flow import PARTITIONS, Log, caught_up, running
from tests.kit.keyring import MemoryKeyring
from tests.notifications.examples import reached
from tests.notifications.test_flow import Service, numbered
from tests.notifications.test_sender import FakeChannel

pytestmark = pytest.mark.system
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


@asynccontextmanager
async def at_work(service: Service, database: str, mail: FakeChannel) -> AsyncIterator[None]:
    """Let the relay and a sender with one channel work."""
    sender = Sender(
        SenderStore(service.pool),
        KeyringOpener(service.keyring),
        {"mail": Outlet(mail, Bucket(1000, 1000))},
        OutcomeWriter(service.planner.store, lambda: NOON),
        clock=lambda: NOON,
    )
    relay = asyncio.create_task(Relay(database, service.log.bootstrap, "notifications").run())
    sending = asyncio.create_task(sender.run())
    try:
        yield
    finally:
        sender.stopping.set()
        await sending
        relay.cancel()
        await asyncio.wait([relay])


async def all_settled(service: Service, notices: int) -> None:
    """Wait until so many notices are there, and none is queued."""
    count = "SELECT count(*), count(*) FILTER (WHERE outcome = 'queued') FROM read.notices"
    async with asyncio.timeout(60):
        while tuple(await service.pool.fetchrow(count)) != (notices, 0):  # noqa: ASYNC110  (below)
            await asyncio.sleep(0.05)  # The sender tells the database, and nobody else.


async def test_a_rebuild_sends_nothing_and_knows_what_was_sent() -> None:
    """Design 7: what was told is folded as given, and the numbers go on from the last one."""
    with LocalStack.scoped() as stack:
        database = stack.postgres.url("notifications")
        log = Log(stack.kafka_bootstrap, "")
        log.create(attendance.FACTS, attendance.EVENTS, discipline.EVENTS, notifications.EVENTS)
        mail = FakeChannel()
        async with notifying(database, log, MemoryKeyring(), mail) as service:
            await service.register("A", mail="a@example.org")
            log.publish(attendance.EVENTS, [numbered(reached("/attendance/A@1"), 1)])
            await all_settled(service, 3)
            assert len(mail.messages) == 1

            report = await rebuild(
                Planner(), log.bootstrap, database, limits=Limits(partitions=PARTITIONS)
            )

            assert report.differences == []
            await all_settled(service, 3)
            assert len(mail.messages) == 1
            log.publish(attendance.EVENTS, [numbered(reached("/attendance/A@2"), 2)])
            await all_settled(service, 6)
            assert len(mail.messages) == 2
            numbers = [
                text.split('"subjectseq":')[1].split(",")[0] for _, text in await service.events()
            ]
            assert list(map(int, numbers)) == list(range(1, 13))


async def test_after_a_loss_nothing_that_was_told_is_told_or_sent_again() -> None:
    """What it told stands on its own topic; news that it had not heard yet follow (design 6)."""
    with LocalStack.scoped() as stack:
        log, mail, keyring = Log(stack.kafka_bootstrap, ""), FakeChannel(), MemoryKeyring()
        log.create(attendance.FACTS, attendance.EVENTS, discipline.EVENTS, notifications.EVENTS)
        async with notifying(stack.postgres.url("notifications"), log, keyring, mail) as service:
            await service.register("A", mail="a@example.org")
            log.publish(attendance.EVENTS, [numbered(reached("/attendance/A@1"), 1)])
            await all_settled(service, 3)
            await wait_until_published(service.pool)
        assert len(mail.messages) == 1
        log.publish(attendance.EVENTS, [numbered(reached("/attendance/A@2"), 2)])
        lost = stack.postgres.url("discipline")  # Of nobody here: it is empty.

        report = await recover(
            Planner(), log.bootstrap, lost, limits=Limits(partitions=PARTITIONS)
        )

        assert report is not None
        async with notifying(lost, log, keyring, mail) as service:
            await all_settled(service, 6)
            assert len(mail.messages) == 2
            ids = [json.loads(text)["id"] for _, text in await service.events()]
            assert ids == [f"/notifications/A@{number}" for number in range(7, 13)]


@asynccontextmanager
async def notifying(
    database: str, log: Log, keyring: MemoryKeyring, mail: FakeChannel
) -> AsyncIterator[Service]:
    """Run the whole service on a database."""
    async with AsyncExitStack() as started:
        planner = await started.enter_async_context(running(log, Planner(), database))
        directory = await started.enter_async_context(running(log, Directory(), database))
        pool = await started.enter_async_context(
            asyncpg.create_pool(database, min_size=1, max_size=4)
        )
        await SenderStore(pool).prepare()
        service = Service(log, planner, directory, pool, keyring)
        await caught_up(log, directory)  # The clock stands still: nobody is looked up again later.
        await started.enter_async_context(at_work(service, database, mail))
        yield service
