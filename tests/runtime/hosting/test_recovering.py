"""A process whose database is lost: nothing of it runs before its tables are recovered."""

import asyncio
import os
import signal

import asyncpg
import pytest
from confluent_kafka import Producer

from shared.events.envelope import canonical, headers_of
from shared.runtime.hosting.service import DONE, Running, Service, serve
from shared.runtime.kafka import admin
from shared.runtime.recovery.recovery import PublishedDiffersError
from shared.runtime.settings import Settings
from tests.kit.toy import Toy

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND query LIKE '%pg_try_advisory_lock(hashtext(''tertib.recovery''%'"
    " AND pid <> pg_backend_pid()"
)


@pytest.fixture
def toy(bootstrap: str, topic_prefix: str) -> Toy:
    """Give a toy that has said one thing once, of which its empty database knows nothing."""
    made = Toy(f"{topic_prefix}facts.v1", f"{topic_prefix}sums")
    (kind,) = made.says
    asyncio.run(admin.ensure(bootstrap, [*made.topics, kind.TOPIC]))
    said = {"id": "/attendance/p1@1", "subject": "p1", "subjectseq": 1, "type": kind.type_name()}
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    headers = headers_of(kind.type_name(), "/attendance/p1@1")
    producer.produce(kind.TOPIC, canonical(said), b"p1", headers=headers)
    assert producer.flush(30) == 0
    return made


async def never(_: Running) -> None:
    pytest.fail("a task of the service began")


async def test_it_does_not_run_where_it_has_said_something_else(
    bootstrap: str, database: str, toy: Toy
) -> None:
    service = Service("tests", [lambda: toy], {"never": never})

    with pytest.raises(
        PublishedDiffersError, match="p1@1 was published, and is not concluded again"
    ):
        await serve(service, Settings(bootstrap, {"tests": database}))


async def test_told_to_stop_it_leaves_everything_as_it_was(
    bootstrap: str, database: str, toy: Toy
) -> None:
    """Another process recovers, for hours perhaps: who waits for it still ends when told to."""
    service = Service("tests", [lambda: toy], {"never": never})
    holding = await asyncpg.connect(database)
    await holding.execute(
        "SELECT pg_advisory_lock(hashtext('tertib.recovery'), hashtext($1))", toy.name
    )
    running = asyncio.create_task(serve(service, Settings(bootstrap, {"tests": database})))
    async with asyncio.timeout(60):
        while not await holding.fetchval(WAITING):  # noqa: ASYNC110  (a database)
            await asyncio.sleep(0.05)

    os.kill(os.getpid(), signal.SIGTERM)

    async with asyncio.timeout(30):
        assert await running == DONE
    assert await holding.fetchval("SELECT count(*) FROM tertib.table_set") == 0
    await holding.close()
