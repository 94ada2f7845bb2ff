"""Records that come more than once: sent again by their publisher, or read again by a member."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError

from shared.runtime.consumer import progress
from shared.runtime.consumer.runner import Runner
from shared.runtime.limits import Limits
from tests.faults.conftest import Calm
from tests.faults.crowd import Crowd, counted
from tests.faults.stage import LIMITS, PARTITIONS, Stage, numbered
from tests.kit.toy import Toy

pytestmark = pytest.mark.system

MOST_ROUNDS = 10


async def test_records_published_one_to_three_times_count_once(stage: Stage, calm: Calm) -> None:
    """Facts by their id, events by `subjectseq`, broadcasts by `broadcastseq`."""
    dice = random.Random(7)  # noqa: S311  (a test repeats itself)
    crowd = Crowd()
    once = replace(stage, topic=f"{stage.topic}.once", ends={})
    once.make_topic()
    once.write(numbered(crowd.goes_on(1_500)))
    stage.write(each for each in numbered(crowd.said) for _ in range(dice.randint(1, 3)))
    assert sum(stage.ends.values()) > 1.7 * sum(once.ends.values())

    member = stage.start()
    await stage.settled()
    assert member.end() == 0
    left = await stage.left()
    assert {person: row[1:3] for person, row in left.sums.items()} == counted(crowd.said)
    assert left == await calm(once)


class Restless(Runner):
    """A member whose position in the log is moved back and forth while it reads."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.delivered: Counter[tuple[int, int]] = Counter()

    async def _take(self, records: Sequence[Any]) -> None:
        self.delivered.update((record.partition, record.offset) for record in records)
        await super()._take(records)

    async def moved(self, dice: random.Random) -> None:
        """Move a partition's position somewhere else, again and again."""
        while True:
            await asyncio.sleep(dice.uniform(0.02, 0.1))
            number = dice.randrange(PARTITIONS)
            place = self.projection.topics[0], number
            at = self.progress.claimed.get(place)
            if at is not None:
                try:
                    self.consumer.seek(
                        TopicPartition(*place), max(0, at + dice.randint(-300, 300))
                    )
                except IllegalStateError:
                    continue


async def test_a_position_that_moves_back_and_forth_changes_nothing(
    stage: Stage, calm: Calm
) -> None:
    """What is delivered again is dropped by the cursor; what was jumped over is read again.

    Whether a jump meets records is a matter of milliseconds: it goes on until one has.
    """
    crowd = Crowd()
    seeks = progress.SEEKS.labels(f"{stage.name}@1")
    before = seeks._value.get()  # noqa: SLF001  (the library has no public way)
    runner = Restless(
        Toy(stage.topic), stage.bootstrap, stage.database, Limits(**{**LIMITS, "batch": 40})
    )
    await runner.start()
    dice = random.Random(7)  # noqa: S311  (a test repeats itself)
    moving = asyncio.create_task(runner.moved(dice))
    for _ in range(MOST_ROUNDS):
        stage.write(numbered(crowd.goes_on(4_000)))
        await stage.settled()
        if seeks._value.get() > before:  # noqa: SLF001  (the library has no public way)
            break
    moving.cancel()
    await runner.stop()

    assert max(runner.delivered.values()) > 1
    assert seeks._value.get() > before  # noqa: SLF001  (the library has no public way)
    left = await stage.left()
    assert {person: row[1:3] for person, row in left.sums.items()} == counted(crowd.said)
    assert left == await calm(stage)
