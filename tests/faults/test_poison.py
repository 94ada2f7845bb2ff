"""Records that cannot be applied: each parks its own subject, and nobody else."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.events.envelope import canonical, headers_of
from shared.runtime.consumer.runner import Runner
from shared.runtime.limits import Limits
from shared.runtime.parking import queries, queue
from tests.faults.conftest import Calm
from tests.faults.stage import LIMITS, Stage, numbered, place_of, until
from tests.kit import toy_facts as facts
from tests.kit.toy import Toy

pytestmark = pytest.mark.system

CHECK_IN = "tertib.attendance.CheckInRecorded.v1"
HEALTHY = ("h00", "h01", "h02")


def poison(subject: str) -> tuple[bytes, Sequence[tuple[str, bytes]]]:
    """Give the value and headers of a good check-in, to be spoilt."""
    good = facts.check_in(subject, 50, 1_000)
    return canonical(good), headers_of(good.type, good.id)


def spoilt() -> dict[str, tuple[bytes | None, Sequence[tuple[str, bytes]], str]]:
    """Give, by subject: value, headers, and the reason for which it must be parked."""
    value, headers = poison("x")
    newer = headers_of("tertib.attendance.CheckInRecorded.v9", "id")
    stranger = canonical(facts.check_in("p06", 50, 1_000, regency="99.99"))
    huge = canonical(facts.check_in("p07", 50, "9" * ((1 << 20) - 1_000)))
    return {
        "p00": (b"\xff\xfe{", headers, "decode"),
        "p01": (value[: len(value) // 2], headers, "decode"),
        "p02": (value, headers_of("tertib.attendance.NeverHeardOf.v1", "id"), "unknown_type"),
        "p03": (value, newer, "unknown_version"),
        "p04": (None, headers, "decode"),
        "p05": (value, [], "decode"),
        "p06": (stranger, headers, "unknown_tenant"),
        "p07": (huge, headers, "fold"),
        "p08": (b"[" * 100_000, headers, "decode"),
        "p09\0": (value, headers, "decode"),
    }


async def test_poison_parks_its_own_subject_through_every_broadcast(
    stage: Stage, calm: Calm
) -> None:
    """What cannot be decoded is discarded, the rest redriven: the state is that of a calm run.

    The calm run hears the same log without what was poisonous.
    """
    bad = spoilt()
    people = [*HEALTHY, *(name.rstrip("\0") for name in bad)]
    once = replace(stage, topic=f"{stage.topic}.once", ends={})
    once.make_topic()

    def both(*said: object) -> None:
        for where in (stage, once):
            where.write(numbered(said))  # type: ignore[arg-type]  # Envelopes.

    both(facts.registered(1), *(facts.check_in(each, 1, 5) for each in people))
    for subject, (value, headers, _) in bad.items():
        number = place_of(subject.rstrip("\0"))
        stage.write_raw(number, subject.encode(), value, headers)
    both(facts.closed(2), *(facts.check_in(each, 2, 7, via="manual") for each in people))
    both(facts.calendar(3, *people), facts.passed_by(4), facts.closed(5))
    limits = Limits(**{**LIMITS, "batch": 7, "budget": 3})
    runner = Runner(Toy(stage.topic), stage.bootstrap, stage.database, limits)
    await runner.start()
    await stage.settled()
    before = await stage.left()
    waiting = await queries.listed(runner.store)

    assert {each["subject"]: each["reason"] for each in waiting if each["reason"] != "queued"} == {
        subject.replace("\0", "\ufffd"): reason for subject, (_, _, reason) in bad.items()
    }
    assert {name: before.sums[name][1:] for name in HEALTHY} == dict.fromkeys(HEALTHY, (2, 222, 2))
    parked = [name for name in bad if "\0" not in name]
    assert {name: before.sums[name][1:] for name in parked} == dict.fromkeys(parked, (1, 5, 0))
    assert runner.progress.stopped == {}

    for row in waiting:
        if row["reason"] != "queued":
            gone = await queue.discard(
                runner.store, row["subject"], row["id"], "says nothing", "tester"
            )
            assert gone
    for subject in sorted({row["subject"] for row in waiting}):
        outcome = await queue.retry(runner.store, subject, "tester")
        # The queue of who never existed holds the closings alone: they do not concern him.
        assert (outcome.applied, outcome.waiting) == (4 if subject in parked else 2, 0)
    both(*(facts.check_in(each, 3, 9) for each in people), facts.closed(6))
    await stage.settled()
    await runner.stop()

    assert await stage.left() == await calm(once)


async def test_a_broadcast_that_cannot_be_applied_stops_its_partition(stage: Stage) -> None:
    """The others go on; nothing of it is skipped, and what stands before it is kept."""
    people = ("q00", "q01", "q02")
    stage.write(numbered([facts.registered(1), *(facts.check_in(p, 1, 5) for p in people)]))
    stage.write(numbered([facts.calendar(2, "q01", failing=True)]))
    stage.write(numbered([facts.check_in(p, 2, 7) for p in people]))
    member = stage.start()

    async def stopped() -> bool:
        return bool(member.status.get("stopped"))

    await until(stopped, "no partition stopped")

    async def others_done() -> bool:
        cursors = await stage.cursors()
        return all(cursors[number] == stage.ends[number] for number in (0, 2))

    await until(others_done, "the other partitions did not go on")
    assert list(member.status["stopped"]) == ["1"]
    assert (await stage.cursors())[1] == 2
    assert member.end() == 0
    left = await stage.left()
    assert {name: row[1:3] for name, row in left.sums.items()} == {
        "q00": (2, 12),
        "q01": (1, 5),
        "q02": (2, 12),
    }
    reason = (await stage.ask("SELECT stopped FROM {schema}.cursors WHERE partition = 1"))[0][0]
    assert "broadcast 2 cannot be applied to q01" in reason
