"""A rebuild that several processes share: the same as by one, and nothing hides in one of them."""

import asyncio
import os
import pickle
import signal
from collections.abc import Sequence

import psutil
import pytest

from shared.errors import CannotRunError
from shared.events.base import NewEvent
from shared.events.envelope import Envelope
from shared.runtime.cli.serve import built
from shared.runtime.rebuild import refolding as rebuilding
from shared.runtime.rebuild.refolding import Done
from tests.kit.toy import Known, Sum, Toy
from tests.kit.toy_facts import check_in, registered
from tests.runtime.rebuild.test_rebuild import (
    PEOPLE,
    Service,
    Silent,
    a_month,
    assert_equal,
    service,
)

__all__ = ["service"]  # A fixture.


@pytest.fixture(autouse=True)
def _every_process_is_worth_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "WORTH", 1)


class Stuck(Toy):
    """A toy whose fold never ends."""

    def fold(
        self, state: Sum, heard: Envelope, knowledge: Known, last_seq: int, /
    ) -> Sequence[NewEvent]:
        while heard:
            signal.pause()
        return ()


async def test_two_processes_come_to_what_one_comes_to(service: Service) -> None:
    service.say(*a_month(1))
    await service.caught_up()
    before, sent = await service.sums(), await service.events()
    told: list[Done] = []

    report = await service.rebuild(workers=2, progress=told.append)

    assert report.workers == 2
    assert_equal(report, told, len(sent))
    assert len(sent) == 8 * 10
    assert await service.sums() == before
    assert await service.events() == sent
    service.say(*a_month(6))
    await service.caught_up()
    assert [row[1] for row in await service.sums()] == [10] * len(PEOPLE)


async def test_what_a_process_finds_is_shown(service: Service) -> None:
    service.say(*a_month(1))
    await service.caught_up()
    live = await service.schemas()

    report = await service.rebuild(Silent(f"{service.log.prefix}facts", service.name), workers=2)

    assert not report.switched
    assert len(report.differences) == 10
    assert all("is not concluded again" in difference for difference in report.differences)
    assert await service.schemas() == live


async def test_a_process_that_cannot_go_on_says_why(service: Service) -> None:
    """What stops a partition is the same message, whoever folds it."""
    service.say(registered(1), *(check_in(who, 1, 1) for who in PEOPLE))
    await service.caught_up()
    await service.ask(f"UPDATE {(await service.schemas())[0]}.cursors SET next_offset = 99")  # noqa: S608  (our own name)

    with pytest.raises(CannotRunError, match="is not whole"):
        await service.rebuild(workers=2)


async def test_a_process_that_is_killed_ends_the_rebuild_and_leaves_nothing(
    service: Service,
) -> None:
    service.say(*a_month(1))
    await service.caught_up()
    before, live = await service.sums(), await service.schemas()
    toy = Stuck(f"{service.log.prefix}facts", service.name)
    known = set(psutil.Process().children(recursive=True))

    running = asyncio.create_task(service.rebuild(toy, workers=2))
    async with asyncio.timeout(60):
        while len(at_work := _at_work(known)) < 2:  # noqa: ASYNC110  (no event for it)
            await asyncio.sleep(0.05)
    os.kill(at_work[0].pid, signal.SIGKILL)

    with pytest.raises(CannotRunError, match=f"ended with -{signal.SIGKILL.value}"):
        await running
    assert not any(process.is_running() for process in at_work)
    assert await service.sums() == before
    sets = await service.ask("SELECT nspname FROM pg_namespace WHERE nspname LIKE '%sums_v1%'")
    assert [name for (name,) in sets] == live


def _at_work(known: set[psutil.Process]) -> list[psutil.Process]:
    """Give the processes of a rebuild that have begun."""
    new = set(psutil.Process().children(recursive=True)) - known
    return [each for each in new if "spawn_main" in " ".join(each.cmdline())]


@pytest.mark.parametrize("name", ["attendance", "discipline", "notifications"])
def test_every_projection_can_be_sent_to_a_process(name: str) -> None:
    for make in built(name).projections:
        projection = make()
        sent = pickle.loads(pickle.dumps(projection))  # noqa: S301  (our own bytes)
        assert (type(sent), sent.name) == (type(projection), projection.name)
