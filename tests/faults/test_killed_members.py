"""Members that die by `kill -9` at every named step of a batch."""

import signal
from itertools import cycle, islice

import pytest

from tests.faults.conftest import Calm
from tests.faults.crowd import Crowd, counted
from tests.faults.stage import Stage, numbered

pytestmark = pytest.mark.system

STEPS = ("after_fetch", "after_fold", "before_commit", "after_commit", "before_mirror")
ROUNDS = 20
CHUNK = 250


async def test_members_killed_at_every_step_lose_and_double_nothing(
    stage: Stage, calm: Calm
) -> None:
    """Twenty deaths in one group, each at the first to fourth time that a step is reached."""
    stage.limits = {"batch": 60, "session_ms": 1_000}
    crowd = Crowd()
    deaths = []
    for number, step in enumerate(islice(cycle(STEPS), ROUNDS)):
        stage.write(numbered(crowd.goes_on(CHUNK)))
        member = stage.start(f"{step}:{number // len(STEPS) + 1}")
        deaths.append((step, member.process.wait(60)))

    assert deaths == [(step, -signal.SIGKILL) for step in islice(cycle(STEPS), ROUNDS)]

    stage.write(numbered(crowd.goes_on(CHUNK)))
    survivor = stage.start()
    await stage.settled()
    assert survivor.end() == 0
    left = await stage.left()
    sums = {person: row[1:3] for person, row in left.sums.items()}
    assert sums == counted(crowd.said)
    assert left == await calm(stage)
