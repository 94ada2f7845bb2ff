"""Who writes one subject at a time and who folds thousands: neither keeps the other from its work.

A sender tells the outcome of each notice, while the planner of the same service goes through the
log, its own topic among it.
"""

from collections.abc import Mapping, Sequence

import pytest
from msgspec.structs import replace

from shared.events.envelope import Envelope
from shared.runtime.limits import Limits
from shared.runtime.processing.store_port import WriteConflictError
from shared.runtime.processing.worker import CONFLICT_BUDGET, FoldedBatch, Worker
from shared.runtime.processing.write_batch import WriteBatch
from shared.runtime.projection import Changes
from tests.kit import toy_facts as facts
from tests.kit.memory_store import MemoryStore
from tests.kit.toy import Toy
from tests.kit.toy_facts import Record, check_in, log_of
from tests.kit.toy_memory import ANSWERS, TOPIC, fold, left_in, toy_store

REGISTERED = facts.registered(1)
PLACE = TOPIC, 0


def told(number: int, amount: int) -> Envelope:
    """Give an event of the toy's own service, as it is read back."""
    return replace(check_in("a", number, amount, seq=number), source="/attendance")


async def test_what_a_row_says_already_is_not_written_once_more() -> None:
    """Its number came into the row with what it tells."""
    store = toy_store(commands=True)
    first = log_of(TOPIC, 0, [REGISTERED, check_in("a", 8, 5), told(1, 7)])
    await fold(store, [first[:2]])
    version = store.kept.subjects["a"].version
    await fold(store, [first[2:]])

    assert store.kept.subjects["a"].version == version
    assert store.kept.cursors[PLACE].next_offset == 3
    assert left_in(store).sums == {"a": ("a", 1, 5, 0)}


async def test_what_a_restored_row_does_not_say_is_folded() -> None:
    """The database is older than the log: what was told since is there to be read."""
    store = toy_store(commands=True)
    log = log_of(TOPIC, 0, [REGISTERED, told(1, 7), told(2, 1), told(4, 1)])
    for each in log:
        await fold(store, [[each]])

    left = left_in(store)
    assert left.sums == {"a": ("a", 1, 7, 0)}  # The toy told number 2 itself, when it folded 1.
    assert left.parked == [("a", 3, "gap")]


class Contested(MemoryStore):
    """A store in which somebody else is faster, so many times."""

    faster = 1

    async def commit(self, writes: WriteBatch, rows: Mapping[str, Changes]) -> None:
        if self.faster:
            self.faster -= 1
            raise WriteConflictError("somebody else wrote a subject first")
        await super().commit(writes, rows)


async def step(worker: Worker, store: MemoryStore, log: Sequence[Record]) -> FoldedBatch:
    """Take a step from where the cursor stands."""
    (part,) = await store.partitions(await store.cursors([PLACE]), worker.limits)
    left = log[part.next_offset :]
    return await worker.step(store, {PLACE: part}, {PLACE: left})


async def test_who_was_overtaken_takes_fewer_and_then_more() -> None:
    """Thousands at once would be overtaken by whoever writes one after the other, for ever."""
    people = 10 * CONFLICT_BUDGET
    store = Contested(Toy(TOPIC, commands=True), ANSWERS, 1)
    worker = Worker(store.projection, Limits())
    log = log_of(TOPIC, 0, [REGISTERED, *(check_in(f"p{n}", 1, 1) for n in range(people))])

    with pytest.raises(WriteConflictError):
        await step(worker, store, log)
    worker.forget()
    taken = []
    while store.kept.cursors[PLACE].next_offset < len(log):
        taken.append((await step(worker, store, log)).writes.records)

    assert taken == [
        CONFLICT_BUDGET,
        2 * CONFLICT_BUDGET,
        3 * CONFLICT_BUDGET,
        4 * CONFLICT_BUDGET,
        1,
    ]
    assert len(left_in(store).sums) == people
