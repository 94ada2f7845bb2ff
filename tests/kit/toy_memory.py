"""A toy folded into a store in memory: what the batches of a log leave behind."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.runtime.limits import Limits
from shared.runtime.parking import queue
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.fold_signals import FoldFailedError
from shared.runtime.processing.halt import Halt
from shared.runtime.processing.worker import Worker
from shared.runtime.projection import Row
from tests.kit.memory_store import Answer, MemoryStore, Tables
from tests.kit.toy import SUMS, TAKEN, Toy
from tests.kit.toy_facts import Record

TOPIC = "toy.facts"
LIMITS = Limits(partitions=1)


def _sums(tables: Tables, subject: str) -> Sequence[Row]:
    return [row for row in tables[SUMS].values() if row[0] == subject]


def _ids(tables: Tables, subject: str) -> Sequence[Row]:
    return [(row[0], row[2]) for row in tables[TAKEN].values() if row[0] == subject]


def _amounts(tables: Tables, subject: str) -> Sequence[Row]:
    return [(row[0], row[1], row[3]) for row in tables[TAKEN].values() if row[0] == subject]


ANSWERS: Mapping[str, Answer] = {"sums": _sums, "ids": _ids, "history": _amounts}


def toy_store(*, commands: bool = False, partitions: int = 1) -> MemoryStore:
    """Give an empty store of a toy."""
    return MemoryStore(Toy(TOPIC, commands=commands), ANSWERS, partitions)


@dataclass(frozen=True)
class Left:
    """What a log left behind. `parked`: subject, offset and reason of what waits."""

    sums: dict[str, Row]
    taken: dict[Row, Row]
    told: dict[str, list[bytes]]
    parked: list[tuple[str, int, str]]
    numbers: dict[str, int]
    next_offset: int
    stopped: Halt | None


async def fold(
    store: MemoryStore,
    batches: Iterable[Sequence[Record]],
    *,
    budget: int = 5_000,
    limits: Limits = LIMITS,
) -> Halt | None:
    """Fold batches as a consumer does; give why the partition stopped, if it did.

    What the cursor has passed is dropped; queues behind a gap that was filled are drained.
    """
    worker = Worker(store.projection, replace(limits, budget=budget))
    for batch in batches:
        places = {(record.topic, record.partition) for record in batch}
        for place in sorted(places):
            left = [record for record in batch if (record.topic, record.partition) == place]
            if (halt := await _fold_one(store, worker, place, left, limits)) is not None:
                return halt
    return None


async def _fold_one(
    store: MemoryStore,
    worker: Worker,
    place: TopicPartition,
    records: Sequence[Record],
    limits: Limits,
) -> Halt | None:
    (part,) = await store.partitions(await store.cursors([place]), limits)
    work: Any = {place: records}
    while work:
        work = {place: [each for each in work[place] if each.offset >= part.next_offset]}
        if not work[place]:
            return None
        try:
            step = await worker.step(store, {place: part}, work)
        except FoldFailedError as spoilt:
            worker.mark(spoilt)
            worker.forget()
            (part,) = await store.partitions(await store.cursors([place]), limits)
            continue
        if step.stops:
            return step.stops[place]
        for subject in sorted(step.writes.filled):
            worker.entries.pop(subject, None)
            await queue.retry(store, subject, "test")
        work = step.left
    return None


def folded(batches: Iterable[Sequence[Record]], *, budget: int = 5_000) -> Left:
    """Fold batches into an empty store, and say what they left behind."""
    store = toy_store()
    stopped = asyncio.run(fold(store, batches, budget=budget))
    return left_in(store, stopped)


def left_in(store: MemoryStore, stopped: Halt | None = None) -> Left:
    """Say what a store holds."""
    told: dict[str, list[bytes]] = {}
    for topic, subject, _, _, value in store.kept.events:
        if topic.endswith(".events"):
            told.setdefault(subject, []).append(value)
    return Left(
        {row[0]: row for row in store.kept.tables[SUMS].values()},
        dict(store.kept.tables[TAKEN]),
        told,
        [(p.subject, p.offset, p.reason) for p, state in store.kept.parked if state == "waiting"],
        {name: entry.last_seq for name, entry in store.kept.subjects.items()},
        store.kept.cursors[TOPIC, 0].next_offset,
        stopped,
    )
