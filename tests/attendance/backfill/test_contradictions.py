"""Facts on the log that contradict one another, through the runner of the assessor.

Of one id only one content is true, and nobody here knows which: never a silent choice. A person's
fact parks that person alone, a broadcast stops the partitions; the message names both.
"""

import asyncio
import re
from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Any, NamedTuple

import asyncpg
import pytest
from msgspec.structs import replace

from services.attendance.projection.assessor import Assessor
from shared.events.envelope import Envelope
from shared.runtime.processing.halt import Halt
from tests.attendance.by_hand import (
    Fed,
    Left,
    Reel,
    concluded,
    emptied,
    left_in,
    limits,
    placed,
)
from tests.attendance.logs import log

SEED, PEOPLE, DAYS = 1, 5, 24
DICE = Random(7)  # noqa: S311  (a test repeats itself)


class Ended(NamedTuple):
    """How a log ended: what is left, who waits and why, why partitions stand still."""

    left: Left
    parked: list[tuple[str, str, str]]
    stopped: set[Halt]


def ended(database: str, facts: Sequence[Envelope]) -> Ended:
    return asyncio.run(end(database, facts))


async def end(database: str, facts: Sequence[Envelope]) -> Ended:
    """Take a log to its end, or to where its partitions stop."""
    reel = Reel(placed(facts))
    async with asyncpg.create_pool(database, min_size=1, max_size=3) as pool:
        async with pool.acquire() as connection:
            await emptied(connection)
        member = Fed(Assessor(), "", "", limits())
        await member.begin(pool, reel)
        while not (member.is_done or len(member.progress.stopped) == len(reel.log)):
            await member.take(reel.next(DICE, 60) if reel.positions else [])
            await member.written()
        stopped = set(member.progress.stopped.values())
        async with pool.acquire() as connection:
            parked = await connection.fetch(
                f"SELECT subject, reason, error FROM {member.store.schema}.parked ORDER BY id"  # noqa: S608  (its own name)
            )
            await member.leave()
            return Ended(await left_in(connection), [tuple(row) for row in parked], stopped)


def first(kind: str, facts: Sequence[Envelope]) -> int:
    """Say where the first fact of a kind stands."""
    return next(at for at, fact in enumerate(facts) if type(fact.data).__name__ == kind)


def said_otherwise(kind: str, /, **data: Any) -> tuple[list[Envelope], Envelope]:
    """Give a log in which a fact is followed, at its end, by one of its id that says otherwise."""
    facts = list(log(SEED, PEOPLE, DAYS))
    fact = facts[first(kind, facts)]
    other = replace(fact, data=replace(fact.data, **data))
    if fact.broadcastseq is not None:
        last = max(each.broadcastseq or 0 for each in facts)
        other = replace(other, broadcastseq=last + 1)
    return [*facts, other], other


@pytest.mark.parametrize(
    ("kind", "data", "named"),
    [
        ("ExcuseRecorded", {"last_on": date(2026, 1, 30)}, "X0"),
        ("ExcuseRevoked", {"excuse_id": "X999"}, "X999"),
        ("ShiftAssigned", {"schedule_id": "kantor"}, "kantor)"),
        ("EmployeeRegistered", {"employment": "PTT"}, ", PTT,"),
    ],
)
def test_a_fact_of_one_id_with_other_content_parks_its_person_alone(
    database: str, kind: str, data: dict[str, Any], named: str
) -> None:
    """Both contents are named, nothing of either follows anew, and all others are untouched."""
    facts, other = said_otherwise(kind, **data)
    left, parked, stopped = ended(database, facts)

    ((subject, reason, error),) = parked
    assert (subject, reason) == (other.subject, "contradiction")
    assert other.id in error
    assert named in error
    assert re.search(r" says \(.*\), and said \(.*\) before", error)
    assert (left, stopped) == (concluded(facts[:-1]), set())


def test_a_check_in_heard_again_with_other_evidence_is_no_contradiction(database: str) -> None:
    """Another arrival, another status: the first stands (A14, design 2)."""
    facts, _ = said_otherwise("CheckInRecorded", via="file", device=None, place="pintu")

    assert ended(database, facts) == (concluded(facts[:-1]), [], set())


@pytest.mark.parametrize(
    ("kind", "data", "named"),
    [
        (
            "OutageDeclared",
            {"ends_at": None},
            r"O01 is declared twice: .* to 20.* and .* to further notice",
        ),
        ("RuleSetPublished", {"digest": "other"}, r"@2 of \* is published twice: .* and other"),
    ],
)
def test_an_outage_or_a_rule_set_of_one_name_with_other_content_stops_the_partitions(
    database: str, kind: str, data: dict[str, Any], named: str
) -> None:
    """Nothing of it is applied to anybody, what stands before it is kept, both are named."""
    facts, _ = said_otherwise(kind, **data)
    left, parked, stopped = ended(database, facts)

    assert (left, parked) == (concluded(facts[:-1]), [])
    assert len(stopped) == 1
    halt = stopped.pop()
    assert halt.kind == "broadcast"
    assert re.search(named, halt.detail)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("RuleSetPublished", {"effective_from": date(2021, 9, 1)}),
        ("RegencyRegistered", {"timezone": "Asia/Jayapura"}),
        ("UnitRegistered", {"schedule_id": "jaga"}),
        ("CalendarPublished", {"kind": "working_day"}),
        ("SchedulePublished", {"slack_minutes": 0}),
        ("PinAssigned", {"employee_id": "P04"}),
    ],
)
def test_any_broadcast_of_one_id_with_other_content_stops_the_partitions(
    database: str, kind: str, data: dict[str, Any]
) -> None:
    """Its id is known under another number: no publisher of ours wrote that (design 2)."""
    facts, other = said_otherwise(kind, **data)
    left, parked, stopped = ended(database, facts)

    assert len(stopped) == 1
    halt = stopped.pop()
    assert halt.kind == "broadcast"
    assert other.id in halt.detail
    assert (left, parked) == (concluded(facts[:-1]), [])
