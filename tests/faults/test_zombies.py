"""A member that is frozen beyond its session, while another takes over, and then goes on."""

import signal

import psutil
import pytest

from tests.faults.conftest import Calm
from tests.faults.crowd import Crowd, counted
from tests.faults.stage import PARTITIONS, Member, Stage, numbered, until

pytestmark = pytest.mark.system

EVERYTHING = list(range(PARTITIONS))


def stopped(member: Member) -> bool:
    """Say whether the process is frozen."""
    return bool(psutil.Process(member.process.pid).status() == psutil.STATUS_STOPPED)


async def frozen(member: Member) -> None:
    """Wait until a member has frozen."""

    async def is_frozen() -> bool:
        return stopped(member)

    await until(is_frozen, "the member did not freeze")


async def owns_everything(member: Member) -> None:
    """Wait until a member has claimed every partition."""

    async def owns() -> bool:
        return member.status.get("claimed") == EVERYTHING

    await until(owns, "nobody took over")


async def test_a_zombies_write_is_refused(stage: Stage, calm: Calm) -> None:
    """Frozen with a folded batch in its hands; what it writes after the take-over is refused."""
    stage.limits = {"batch": 60}
    crowd = Crowd()
    stage.write(numbered(crowd.goes_on(600)))
    zombie = stage.start("before_commit:4:SIGSTOP")
    await frozen(zombie)

    heir = stage.start()
    await owns_everything(heir)
    await stage.settled()
    assert stopped(zombie)
    assert zombie.status["refused"] == 0

    stage.write(numbered(crowd.goes_on(300)))
    zombie.signal(signal.SIGCONT)

    async def refused() -> bool:
        return bool(zombie.status["refused"])

    await until(refused, "the zombie's write was not refused")
    stage.write(numbered(crowd.goes_on(300)))
    await stage.settled()
    assert (heir.end(), zombie.end()) == (0, 0)
    left = await stage.left()
    assert {person: row[1:3] for person, row in left.sums.items()} == counted(crowd.said)
    assert left == await calm(stage)


async def test_a_member_frozen_in_its_transaction_holds_nobody_up(
    stage: Stage, calm: Calm
) -> None:
    """The locks of an open transaction are freed, so that another can take over."""
    crowd = Crowd()
    stage.write(numbered(crowd.goes_on(400)))
    first = stage.start()
    await stage.settled()
    stage.write(numbered(crowd.goes_on(2_000)))
    async with stage.held_up():
        first.signal(signal.SIGSTOP)
        await frozen(first)

    heir = stage.start()
    await owns_everything(heir)
    await stage.settled()
    assert stopped(first)

    first.signal(signal.SIGCONT)
    assert (heir.end(), first.end()) == (0, 0)
    assert await stage.left() == await calm(stage)
