"""The assessor itself through the runner's fold and a real PostgreSQL, however the log comes.

The expectation is the pure domain, a fact after the other, without runner or store.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Any

import asyncpg
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from services.attendance.domain.person import Person
from services.attendance.projection.assessor import Assessor
from shared.events.envelope import Envelope
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
from tests.attendance.logs import log, mixed, repeated

PEOPLE, DAYS = 5, 24


@cache
def expected(seed: int, people: int, days: int) -> Left:
    return concluded(log(seed, people, days))


def taken(
    database: str, facts: Sequence[Envelope], turns: Random, **how: Any
) -> tuple[Left, Counter[str]]:
    return asyncio.run(take(database, facts, turns, **how))


async def take(  # noqa: PLR0913  (what may happen to a member)
    database: str,
    facts: Sequence[Envelope],
    turns: Random,
    *,
    budget: int = 5_000,
    hot: int = 200_000,
    most: int = 60,
    restarts: float = 0.0,
    cold: bool = False,
) -> tuple[Left, Counter[str]]:
    """Take a log in batches of up to `most`; give what is left, and what was seen to happen.

    `restarts`: the share of batches after which the member is another one. `cold`: after each
    batch, hold everybody in memory against the tables.
    """
    reel = Reel(placed(facts))
    async with asyncpg.create_pool(database, min_size=1, max_size=3) as pool:
        async with pool.acquire() as connection:
            await emptied(connection)
        member = await begun(pool, reel, budget, hot)
        while not member.is_done:
            await member.take(reel.next(turns, most))
            assert member.progress.stopped == {}
            if cold or reel.is_read:
                await member.written()
            if cold:
                reel.seen["compared"] += await compared(member)
            if turns.random() < restarts:
                await member.leave()
                member = await begun(pool, reel, budget, hot)
                reel.seen["restarted"] += 1
        assert member.progress.refused == 0
        assert member.progress.parked == 0
        await member.leave()
        async with pool.acquire() as connection:
            return await left_in(connection), reel.seen


async def begun(pool: asyncpg.Pool, reel: Reel, budget: int, hot: int) -> Fed:
    """Start a member with nothing in memory."""
    member = Fed(Assessor(), "", "", limits(budget=budget, hot=hot))
    await member.begin(pool, reel)
    return member


async def compared(member: Fed) -> int:
    """Hold everybody in memory against what the tables bring back; give how many there were."""
    hot = member.states
    found = await member.store.entries(dict.fromkeys(sorted(hot), 0))
    for entry in found:
        cold: Person = entry.state
        assert known(hot[cold.id], cold.floor) == known(cold, cold.floor)
    return len(found)


def known(person: Person, floor: int) -> tuple[Any, ...]:
    """Give what is known of a person that a fold may look at, of days from a floor on."""
    history = person.history
    days = range(history.base, history.base + len(history.codes))
    return (
        person.lines,
        person.excuses,
        person.shifts,
        person.facts,
        person.pending,
        person.thresholds,
        person.stored_thresholds,
        {day: said for day, said in person.days.items() if day >= floor},
        {
            day: list(heard.items())
            for day, heard in person.punches.items()
            if heard and day >= floor
        },
        {
            day: (
                code,
                history.rule_names[history.rules_at[day - history.base]],
                history.class_names[history.class_at[day - history.base]],
                history.converts.get(day),
                history.seqs.get(day),
            )
            for day, code in zip(days, history.codes, strict=True)
            if code
        },
    )


def every(
    holds: Callable[[int, Random, int], Counter[str]], *happened: str, examples: int = 10
) -> None:
    """Let something hold on many logs; each of these must have been seen to happen on the way."""
    seen: Counter[str] = Counter()

    @settings(max_examples=examples, deadline=None, phases=(Phase.reuse, Phase.generate))
    @given(st.integers(0, 7), st.integers(0, 2**32 - 1).map(Random), st.integers(1, 12))
    def on_any(seed: int, dice: Random, budget: int) -> None:
        seen.update(holds(seed, dice, budget))

    on_any()
    assert {what: seen[what] for what in happened if not seen[what]} == {}, seen


def test_however_batches_are_cut_the_log_says_one_thing(database: str) -> None:
    """Cuts anywhere, broadcasts split between people, members without a memory: one outcome."""

    def holds(seed: int, dice: Random, budget: int) -> Counter[str]:
        hot = dice.randint(0, PEOPLE)
        left, seen = taken(
            database, log(seed, PEOPLE, DAYS), dice, budget=budget, hot=hot, restarts=0.1
        )
        assert left == expected(seed, PEOPLE, DAYS)
        return seen

    every(holds, "sliced", "restarted", "again", "jumped")


def test_who_is_in_memory_is_who_the_tables_bring_back(database: str) -> None:
    """At every cut, within a broadcast too, a member without a memory would know the same."""

    def holds(seed: int, dice: Random, budget: int) -> Counter[str]:
        left, seen = taken(database, log(seed, PEOPLE, DAYS), dice, budget=budget, cold=True)
        assert left == expected(seed, PEOPLE, DAYS)
        return seen

    every(holds, "sliced", "compared")


def test_records_written_one_to_three_times_count_once(database: str) -> None:
    """Published again at once or much later: another offset, the same fact."""

    def holds(seed: int, dice: Random, budget: int) -> Counter[str]:
        facts = repeated(log(seed, PEOPLE, DAYS), dice)
        left, seen = taken(database, facts, dice, budget=budget, restarts=0.05)
        assert left == expected(seed, PEOPLE, DAYS)
        assert len(facts) > 1.5 * len(log(seed, PEOPLE, DAYS))
        return seen

    every(holds, "ignored", "sliced", "restarted")


def test_the_order_among_people_is_no_matter(database: str) -> None:
    """Between two broadcasts the facts of different people may stand in any order."""

    def holds(seed: int, dice: Random, budget: int) -> Counter[str]:
        facts = mixed(log(seed, PEOPLE, DAYS), dice)
        left, seen = taken(database, facts, dice, budget=budget, hot=dice.randint(0, PEOPLE))
        assert left == expected(seed, PEOPLE, DAYS)
        seen["moved"] += sum(
            a is not b for a, b in zip(facts, log(seed, PEOPLE, DAYS), strict=True)
        )
        return seen

    every(holds, "moved", "sliced")


@pytest.mark.parametrize("seed", [1, 2])
def test_so_it_is_over_more_days_than_are_kept_in_memory(database: str, seed: int) -> None:
    """Late facts ask for rows of days that are no longer at hand."""
    dice = Random(seed)  # noqa: S311  (a test repeats itself)
    facts = log(seed, 3, 130)
    left, seen = taken(database, facts, dice, budget=40, hot=2, restarts=0.2)

    assert left == expected(seed, 3, 130)
    assert seen["older"] > 0
    assert seen["restarted"] > 0
