"""Servers that die by `kill -9` under load: their own stack, which no other test uses."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from shared.local.sql import ask
from shared.local.stack import LocalStack
from tests.faults.conftest import undisturbed
from tests.faults.crowd import Crowd, counted
from tests.faults.stage import Member, Stage, numbered, until

pytestmark = pytest.mark.system

KILLS = 2


@pytest.fixture(scope="module")
def own() -> Iterator[LocalStack]:
    """Run a stack that may be killed."""
    with LocalStack.scoped() as stack:
        yield stack


@pytest.fixture
def own_stage(own: LocalStack, tmp_path: Path) -> Iterator[Stage]:
    """Give a stage on it, with empty databases."""
    for service in ("attendance", "discipline"):
        url = own.database_url(service)
        ask(url, "DROP SCHEMA IF EXISTS tertib CASCADE")
        ask(url, "DROP SCHEMA IF EXISTS toy_sums_v1_1, toy_calm_v1_1, read CASCADE")
    topic = f"{tmp_path.name}.facts"
    set_up = Stage(own.kafka_bootstrap, own.database_url("attendance"), topic, tmp_path)
    set_up.make_topic()
    yield set_up
    set_up.end_all()


async def under_load(
    stage: Stage, crowd: Crowd, harm: Callable[[Member], Awaitable[None]]
) -> Member:
    """Let a member work while facts keep coming, and do harm the while."""
    over = asyncio.Event()

    async def load() -> None:
        while not over.is_set():
            await asyncio.to_thread(stage.write, numbered(crowd.goes_on(60)))

    loading = asyncio.create_task(load())
    member = stage.start()
    try:
        await harm(member)
    finally:
        over.set()
        await loading
    return member


async def works(stage: Stage, beyond: int) -> int:
    """Wait until more is done than it was; give how much."""
    done = 0

    async def goes_on() -> bool:
        nonlocal done
        try:
            done = sum((await stage.cursors()).values())
        except (OSError, asyncpg.PostgresError):
            return False
        return done > beyond

    await until(goes_on, "nothing goes on")
    return done


async def same_as_undisturbed(own: LocalStack, stage: Stage, crowd: Crowd) -> None:
    """Compare the final state and the events with those of a run that nobody disturbs."""
    left = await stage.left()
    assert {person: row[1:3] for person, row in left.sums.items()} == counted(crowd.said)
    assert left == await undisturbed(stage, own.database_url("discipline"))


async def test_a_database_killed_in_mid_transaction(own: LocalStack, own_stage: Stage) -> None:
    """Postmaster and children die while a member's transaction is open."""
    crowd = Crowd()
    killed = []

    async def harm(member: Member) -> None:
        done = 0
        for _ in range(KILLS):
            done = await works(own_stage, done)
            async with own_stage.held_up():
                killed.append(own.postgres.pid)
                await asyncio.to_thread(own.postgres.kill)
            await asyncio.to_thread(own.up)
        await works(own_stage, done)
        assert member.process.poll() is None

    member = await under_load(own_stage, crowd, harm)
    await own_stage.settled()

    assert len(set(killed)) == KILLS
    assert member.status["refused"] >= KILLS
    assert member.end() == 0
    await same_as_undisturbed(own, own_stage, crowd)


async def test_a_broker_killed_under_load(own: LocalStack, own_stage: Stage) -> None:
    """Members wait until it is back, and go on from their cursors."""
    crowd = Crowd()
    pids = []

    async def harm(member: Member) -> None:
        done = 0
        for _ in range(KILLS):
            done = await works(own_stage, done)
            pids.append(own.kafka.pid(1))
            await asyncio.to_thread(own.kafka.kill, 1)
            assert own.kafka.pid(1) is None
            await asyncio.to_thread(own.up)
        assert member.process.poll() is None

    member = await under_load(own_stage, crowd, harm)
    await own_stage.settled()

    assert len(set(pids)) == KILLS
    assert member.end() == 0
    await same_as_undisturbed(own, own_stage, crowd)
