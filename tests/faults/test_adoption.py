"""A version of the fold adopted in the middle of a log, by members that die while they say it."""

import signal

import pytest

from services.attendance.projection.assessor import Assessor
from tests.attendance.by_hand import concluded
from tests.attendance.logs import log
from tests.attendance.second_version import SecondVersion, adopting, allow
from tests.faults.stage import Stage, numbered, until
from tests.faults.test_assessor import SMALL, left_by

pytestmark = pytest.mark.system

PEOPLE, AT = 18, 900  # Six of each partition: slices of three.


@pytest.fixture
def assessed(stage: Stage) -> Stage:
    """Give a stage for members of an assessor that can do version 2, with small slices."""
    stage.name = Assessor.name
    stage.version = 2
    stage.limits = SMALL
    return stage


async def test_killed_between_its_slices_the_difference_is_said_once(
    assessed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch)
    facts = adopting(log(3, PEOPLE, 60), AT)
    assessed.write(numbered(facts[:AT]))
    member = assessed.start()
    await assessed.settled()
    assert member.end() == 0
    assessed.write(numbered(facts[AT : AT + 1]))
    deaths = []
    for step in ("after_commit:1", "before_commit:1", "after_commit:2", "after_fold:1"):
        member = assessed.start(step)
        deaths.append(member.process.wait(60))
    assert deaths == [-signal.SIGKILL] * 4

    assessed.write(numbered(facts[AT + 1 :]))
    member = assessed.start()
    await assessed.settled()

    assert member.end() == 0
    left = await left_by(assessed)
    assert left == concluded(facts, SecondVersion(forgets=False))
    assert left != concluded(log(3, PEOPLE, 60))  # It did say something otherwise.


async def test_a_member_that_cannot_do_it_stops_and_names_it(assessed: Stage) -> None:
    """Before the fact nobody did by another version; behind it, it does not even begin."""
    facts = adopting(log(3, PEOPLE, 60), AT)
    assessed.version = 1
    assessed.write(numbered(facts[: AT + 1]))
    old = assessed.start()

    async def stopped() -> bool:
        return len(assessed.members[-1].status.get("stopped", {})) == 3

    await until(stopped, "the old member did not stop")
    assert "version 2 of the fold was adopted" in str(old.status["stopped"])
    assert await assessed.cursors() == {n: end - 1 for n, end in assessed.ends.items()}
    assert old.end() == 0
    assessed.version = 2
    new = assessed.start()
    await assessed.settled()
    assert new.end() == 0

    assessed.version = 1
    old = assessed.start()

    await until(stopped, "the old member did not stop")
    assert "version 2 of the fold was adopted" in str(old.status["stopped"])
