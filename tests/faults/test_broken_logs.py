"""A log and a cursor that do not belong together: the partition halts, and nothing is guessed."""

from typing import Any

import pytest
from confluent_kafka import TopicPartition

from shared.local.kafka import admin_client
from shared.runtime.processing.halt import Halt, stored
from tests.faults.crowd import Crowd
from tests.faults.stage import Stage, numbered, until

pytestmark = pytest.mark.system


async def halted(stage: Stage, number: int) -> Halt:
    """Wait until one partition is stored as stopped; give why."""
    halt: Halt | None = None

    async def stopped() -> bool:
        nonlocal halt
        ((kind, detail),) = await stage.ask(
            "SELECT stopped_kind, stopped FROM {schema}.cursors WHERE partition = $1", number
        )
        halt = stored(kind, detail)
        return halt is not None

    await until(stopped, "the partition did not halt")
    assert halt is not None
    return halt


async def the_others_go_on(stage: Stage, number: int) -> None:
    """Wait until all other partitions are at their ends."""

    async def done() -> bool:
        cursors = await stage.cursors()
        return all(cursors[each] == end for each, end in stage.ends.items() if each != number)

    await until(done, "the others did not go on")


async def claims(member: Any, numbers: list[int]) -> None:
    """Wait until a member holds these partitions: after a stop it takes the others up again."""

    async def held() -> bool:
        found: bool = member.status["claimed"] == numbers
        return found

    await until(held, f"partitions {numbers} are not claimed")


async def test_a_log_that_begins_behind_the_cursor_halts(stage: Stage) -> None:
    """Records were deleted before they were heard: history is lost, and stays named."""
    crowd = Crowd()
    stage.write(numbered(crowd.goes_on(300)))
    first = stage.start()
    await stage.settled()
    assert first.end() == 0
    before = await stage.cursors()
    stage.write(numbered(crowd.goes_on(300)))
    lost = TopicPartition(stage.topic, 1, before[1] + 10)
    admin = admin_client(stage.bootstrap)
    for deletion in admin.delete_records([lost]).values():
        deletion.result(timeout=30)
    second = stage.start()
    halt = await halted(stage, 1)
    await the_others_go_on(stage, 1)

    detail = f"history lost: the cursor is {before[1]}, the log begins at {lost.offset}"
    assert halt == Halt("history_lost", detail)
    assert (await stage.cursors())[1] == before[1]
    await claims(second, [0, 2])
    assert second.end() == 0


async def test_a_log_shorter_than_the_cursor_halts(stage: Stage) -> None:
    """The topic was made anew or restored from yesterday."""
    crowd = Crowd()
    stage.write(numbered(crowd.goes_on(300)))
    first = stage.start()
    await stage.settled()
    assert first.end() == 0
    beyond = stage.ends[2] + 7
    await stage.ask("UPDATE {schema}.cursors SET next_offset = $1 WHERE partition = 2", beyond)
    stage.write(numbered(crowd.goes_on(9)))
    second = stage.start()
    halt = await halted(stage, 2)
    await the_others_go_on(stage, 2)

    detail = f"log shorter than the cursor: {beyond} of {stage.ends[2]}"
    assert halt == Halt("log_shorter", detail)
    assert (await stage.cursors())[2] == beyond
    assert second.end() == 0


async def test_another_log_under_the_same_name_halts(stage: Stage) -> None:
    """The record before the cursor is not the one that was read."""
    crowd = Crowd()
    stage.write(numbered(crowd.goes_on(300)))
    first = stage.start()
    await stage.settled()
    assert first.end() == 0
    before = await stage.cursors()
    await stage.ask("UPDATE {schema}.cursors SET tail_hash = 'other' WHERE partition = 0")
    stage.write(numbered(crowd.goes_on(100)))
    second = stage.start()
    halt = await halted(stage, 0)
    await the_others_go_on(stage, 0)

    assert halt.kind == "another_log"
    assert (await stage.cursors())[0] == before[0]
    assert second.end() == 0


async def test_a_partition_without_a_cursor_is_not_begun_anywhere(stage: Stage) -> None:
    """First cursors are written by decision, never by a default."""
    crowd = Crowd()
    stage.write(numbered(crowd.goes_on(100)))
    first = stage.start()
    await stage.settled()
    assert first.end() == 0
    await stage.ask("DELETE FROM {schema}.cursors WHERE partition = 1")
    stage.write(numbered(crowd.goes_on(100)))
    second = stage.start()

    async def stopped() -> bool:
        return "1" in second.status.get("stopped", {})

    await until(stopped, "the partition did not halt")
    await until(lambda: _ends(stage, 0, 2), "the others did not go on")
    kind, _ = second.status["stopped"]["1"]
    assert kind == "not_bootstrapped"
    assert second.end() == 0


async def _ends(stage: Stage, *numbers: int) -> bool:
    cursors = await stage.cursors()
    return all(cursors[each] == stage.ends[each] for each in numbers)
