"""Members that join and leave under load: every rebalance replaces all partitions."""

import asyncio
from functools import partial

import pytest

from tests.faults.conftest import Calm
from tests.faults.crowd import Crowd, counted
from tests.faults.stage import Member, Stage, numbered, until

pytestmark = pytest.mark.system

VISITS = 3


async def _works(member: Member) -> bool:
    return bool(member.status.get("claimed")) and member.status["records"] > 0


async def test_members_that_join_and_leave_under_load_change_nothing(
    stage: Stage, calm: Calm
) -> None:
    """One stays, one visits three times, and takes partitions over, and gives them back."""
    stage.limits = {"batch": 40}
    crowd = Crowd()
    over = asyncio.Event()

    async def load() -> None:
        while not over.is_set():
            await asyncio.to_thread(stage.write, numbered(crowd.goes_on(60)))

    loading = asyncio.create_task(load())
    stays = stage.start()
    exits = []
    for _ in range(VISITS):
        visitor = stage.start()
        await until(partial(_works, visitor), "the visitor got nothing to do")
        exits.append(await asyncio.to_thread(visitor.end))
    over.set()
    await loading
    await stage.settled()

    assert exits == [0] * VISITS
    assert stays.end() == 0
    left = await stage.left()
    assert {person: row[1:3] for person, row in left.sums.items()} == counted(crowd.said)
    assert left == await calm(stage)
