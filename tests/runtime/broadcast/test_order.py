"""Broadcasts against keyed facts on a real broker: the log has the order of what happened.

Commands in bulk, doors through the outbox, broadcasts of several regencies, at the same time and
with relays that die. What ended before something else of its regency began, one of the two a
broadcast, stands before it on every partition.
"""

import asyncio
import time
from collections import defaultdict
from itertools import combinations
from random import Random
from typing import NamedTuple

import pytest

from shared.runtime.broadcast.bulk import BulkPublisher
from shared.runtime.broadcast.facts import Facts
from shared.runtime.kafka.topics import PARTITIONS
from tests.kit.broadcasting import FactTopic, begin_doomed, closing, let_die, tap

CODES = ["53.01", "53.02"]
TURNS = 25
PEOPLE = 40


class Done(NamedTuple):
    """What somebody did: facts of a regency, or a broadcast; when it began, and when it ended."""

    code: str
    number: int
    broadcast: bool
    began: float
    ended: float


async def bulk(publisher: BulkPublisher, dice: Random, writer: int, done: list[Done]) -> None:
    """Send chunks past the outbox, and close days."""
    for turn in range(TURNS):
        code, number = dice.choice(CODES), 1_000 * writer + turn
        broadcast = dice.random() < 0.3
        began = time.monotonic()
        if broadcast:
            await publisher.broadcast([closing(number, code=code)])
        else:
            await publisher.publish([tap(f"{code}-{n}", number, code=code) for n in range(PEOPLE)])
        done.append(Done(code, number, broadcast, began, time.monotonic()))


async def door(facts: Facts, dice: Random, writer: int, done: list[Done]) -> None:
    """Write to the outbox as a request does, and close days."""
    for turn in range(TURNS):
        code, number = dice.choice(CODES), 1_000 * writer + turn
        broadcast = dice.random() < 0.3
        exclusive = {code} if broadcast else set()
        began = time.monotonic()
        async with facts.transaction(shared={code}, exclusive=exclusive) as tx:
            if broadcast:
                await tx.broadcast([closing(number, code=code)])
            else:
                await tx.publish([tap(f"{code}-{n}", number, code=code) for n in range(PEOPLE)])
        done.append(Done(code, number, broadcast, began, time.monotonic()))
        await asyncio.sleep(dice.random() / 100)


def first_places(place: FactTopic) -> dict[int, dict[tuple[str, int], list[int]]]:
    """Give where each one's records stand first, by partition, regency and number."""
    found: dict[int, dict[tuple[str, int], list[int]]] = {}
    for partition, some in place.told().items():
        seen, places = set(), defaultdict(list)
        for at, (seq, subject, number) in enumerate(some):
            if (seq, subject, number) not in seen:
                seen.add((seq, subject, number))
                places[subject.partition("-")[0], number].append(at)
        found[partition] = places
    return found


def assert_in_order(place: FactTopic, done: list[Done]) -> None:
    """Hold the log against what was done, pair by pair."""
    places = first_places(place)
    held = 0
    for one, other in combinations(done, 2):
        if one.code != other.code or not (one.broadcast or other.broadcast):
            continue
        before, behind = (one, other) if one.ended < other.began else (other, one)
        if before.ended >= behind.began:
            continue
        for partition in range(PARTITIONS):
            first = places[partition].get((before.code, before.number), [])
            second = places[partition].get((behind.code, behind.number), [])
            if first and second:
                held += 1
                assert max(first) < min(second), (partition, before, behind)
    assert held > 1_000, "hardly anything was held against anything"
    numbers = [
        list(dict.fromkeys(seq for seq, _, _ in some if seq is not None))
        for some in place.told().values()
    ]
    total = sum(each.broadcast for each in done)
    assert numbers == [[*range(1, total + 1)]] * PARTITIONS


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_log_has_the_order_of_what_happened(place: FactTopic, seed: int) -> None:
    done: list[Done] = []
    async with place.facts() as facts, place.bulk() as first, place.bulk() as second:
        writers = [
            bulk(first, Random(10 * seed), 1, done),  # noqa: S311  (a test repeats itself)
            bulk(second, Random(10 * seed + 1), 2, done),  # noqa: S311  (as above)
            door(facts, Random(10 * seed + 2), 3, done),  # noqa: S311  (as above)
            door(facts, Random(10 * seed + 3), 4, done),  # noqa: S311  (as above)
        ]
        await asyncio.gather(*writers)
        await first.sent.everything()

    assert_in_order(place, done)


@pytest.mark.system
async def test_the_log_has_it_though_relays_are_killed_meanwhile(place: FactTopic) -> None:
    """Those that lead die among the partitions, one after the other; a command's goes on."""
    done: list[Done] = []
    doomed = await begin_doomed(place, 40)
    async with place.facts() as facts, place.bulk() as first:
        writers = asyncio.gather(
            bulk(first, Random(3), 1, done),  # noqa: S311  (a test repeats itself)
            door(facts, Random(4), 2, done),  # noqa: S311  (as above)
            door(facts, Random(5), 3, done),  # noqa: S311  (as above)
        )
        await let_die(doomed)
        await writers
        await first.sent.everything()

    assert_in_order(place, done)
