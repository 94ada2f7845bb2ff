"""The assessor itself on a real broker: killed, started again, and told everything repeatedly.

What must be left is what the pure domain concludes from the same facts, one after the other.
"""

import signal
from collections.abc import Sequence
from random import Random

import asyncpg
import pytest

from services.attendance.projection.assessor import Assessor
from shared.events.envelope import Envelope
from tests.attendance.by_hand import Left, concluded, left_in
from tests.attendance.logs import log, mixed, repeated
from tests.faults.stage import Stage, numbered
from tests.faults.test_killed_members import STEPS

pytestmark = pytest.mark.system

DEATHS = [(step, number) for number in (1, 2) for step in STEPS]
SMALL = {"batch": 25, "budget": 3, "session_ms": 1_000, "partition_bytes": 4_000}


@pytest.fixture
def assessed(stage: Stage) -> Stage:
    """Give a stage for members of the assessor, whose fetches, batches and slices are small."""
    stage.name = Assessor.name
    stage.limits = SMALL
    return stage


def pieces(facts: Sequence[Envelope], count: int) -> list[Sequence[Envelope]]:
    """Cut a log into so many pieces of about equal length."""
    size = -(-len(facts) // count)
    return [facts[at : at + size] for at in range(0, len(facts), size)]


async def left_by(stage: Stage) -> Left:
    connection = await asyncpg.connect(stage.database)
    try:
        return await left_in(connection)
    finally:
        await connection.close()


async def test_an_assessor_killed_at_every_step_concludes_the_same(assessed: Stage) -> None:
    """Two deaths at each named step; each heir finds states only in the tables."""
    facts = log(3, 12, 60)
    *parts, last = pieces(facts, len(DEATHS) + 1)
    deaths = []
    for part, (step, number) in zip(parts, DEATHS, strict=True):
        assessed.write(numbered(part))
        member = assessed.start(f"{step}:{number}")
        deaths.append((step, number, member.process.wait(60)))

    assert deaths == [(*each, -signal.SIGKILL) for each in DEATHS]

    assessed.write(numbered(last))
    survivor = assessed.start()
    await assessed.settled()
    assert survivor.end() == 0
    assert await left_by(assessed) == concluded(facts)


async def test_an_assessor_told_everything_one_to_three_times_concludes_the_same(
    assessed: Stage,
) -> None:
    """At once or much later, and members that leave and come back between."""
    once = log(4, 12, 60)
    facts = repeated(mixed(once, Random(7)), Random(7))  # noqa: S311  (a test repeats itself)
    assert len(facts) > 1.7 * len(once)
    for part in pieces(facts, 3):
        assessed.write(numbered(part))
        member = assessed.start()
        await assessed.settled()
        assert member.end() == 0

    assert await left_by(assessed) == concluded(once)
