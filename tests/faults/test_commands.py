"""A command and the runner write one subject at the same time: one of them reads again."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from shared.events.base import NewEvent
from shared.runtime.consumer.runner import Runner
from shared.runtime.limits import Limits
from shared.runtime.processing.command_handler import UnknownSubjectError, handle
from shared.runtime.processing.stamping import Times
from tests.faults.stage import LIMITS, Stage, numbered
from tests.kit import toy_facts as facts
from tests.kit.toy import Known, Sum, Toy

pytestmark = pytest.mark.system

SUBJECT = "p01"
TIMES = Times("2026-01-05T08:00:00+00:00", "2026-01-05T08:00:00+00:00", None, None, "tester")
COMMANDS = 120
RECORDS = 600
MOST_ROUNDS = 20


async def test_a_command_and_the_runner_lose_nothing_of_each_other(stage: Stage) -> None:
    """Every command and every record counts once, and the subject's numbers are dense.

    That they meet is a matter of milliseconds: they go on until they have.
    """
    toy = Toy(stage.topic, commands=True)
    limits = Limits(**{**LIMITS, "batch": 5})
    runner = Runner(toy, stage.bootstrap, stage.database, limits)
    await runner.start()
    stage.write(numbered([facts.registered(1), facts.check_in(SUBJECT, 0, 1)]))
    await stage.settled()
    tries: Counter[int] = Counter()

    async def command(number: int) -> None:
        def act(state: Sum, last_seq: int) -> Sequence[NewEvent]:
            del last_seq
            tries[number] += 1
            return toy.add(state, 1_000, facts.REGENCY, f"command-{number}", Known())

        await handle(runner.store, SUBJECT, act, TIMES)

    async def commands(first: int) -> None:
        for number in range(first, first + COMMANDS):
            await command(number)

    def meetings() -> int:
        return runner.progress.refused + tries.total() - len(tries)

    rounds = 0
    while not meetings() and rounds < MOST_ROUNDS:
        commanding = asyncio.create_task(commands(rounds * COMMANDS))
        first = 1 + rounds * RECORDS
        said = [facts.check_in(SUBJECT, first + number, 1) for number in range(RECORDS)]
        await asyncio.to_thread(stage.write, numbered(said))
        await commanding
        await stage.settled()
        rounds += 1
    await runner.stop()

    left = await stage.left()
    heard, done = 1 + RECORDS * rounds, COMMANDS * rounds
    assert meetings() > 0, "they never met"
    assert left.sums[SUBJECT][1:3] == (heard, heard + 1_000 * done)
    events = [msgspec.json.decode(value) for value in left.told[SUBJECT]]
    assert [each["subjectseq"] for each in events] == list(range(1, len(events) + 1))
    causes = Counter(_cause(each) for each in events)
    assert len(causes) == heard + done
    assert set(causes.values()) == {1}


def _cause(event: Any) -> str:
    (cause,) = event["data"]["check_ins"]
    return str(cause)


async def test_a_command_to_nobody_writes_nothing(stage: Stage) -> None:
    runner = Runner(Toy(stage.topic, commands=True), stage.bootstrap, stage.database,
                    Limits(**LIMITS))  # fmt: skip
    await runner.start()

    with pytest.raises(UnknownSubjectError):
        await handle(runner.store, "nobody", lambda *_: [], TIMES)

    await runner.stop()
    assert (await stage.left()).sums == {}
