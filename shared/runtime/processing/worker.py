"""Folds records into a store, one transaction at a time, and keeps hot states between them.

Used by the consumer, the rebuild and tests alike; each of them reads the log itself, and decides
what happens after a failure.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from shared.events.envelope import Envelope
from shared.runtime.failpoints import reach
from shared.runtime.limits import Limits
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.brake import Brake
from shared.runtime.processing.decoder import BROADCAST, Decoder, Park
from shared.runtime.processing.fold import BatchFold, missing
from shared.runtime.processing.fold_signals import FoldFailedError, Marks
from shared.runtime.processing.halt import Halt
from shared.runtime.processing.state import Partition, SubjectState
from shared.runtime.processing.store_port import (
    BroadcastContradictionError,
    RowsRejectedError,
    Store,
    WriteConflictError,
)
from shared.runtime.processing.write_batch import WriteBatch
from shared.runtime.projection import Changes, Projection

# Records of the next transaction after a conflict; after each success so many more.
CONFLICT_BUDGET = 100


Work = Mapping[TopicPartition, Sequence[Any]]  # Records, as they were read.


@dataclass
class FoldedBatch:
    """One transaction: what it writes, what is left to fold, which partitions must stop.

    `culprits` are the records that stopped them.
    `rows` are taken from the states, so that these can be folded further before it is written.
    """

    writes: WriteBatch
    rows: Mapping[str, Changes]
    left: dict[TopicPartition, Sequence[Any]]
    stops: dict[TopicPartition, Halt]
    brakes: dict[TopicPartition, Brake]
    alone: Any | None
    fold_seconds: float
    flush_seconds: float = 0.0
    culprits: dict[TopicPartition, Any] = field(default_factory=dict)


class Worker:
    """Folds for one projection; `entries` are its hot states.

    They include the steps that are not written yet. After one that failed, call `forget`.
    """

    def __init__(self, projection: Projection[Any, Any], limits: Limits) -> None:
        self.projection = projection
        self.limits = limits
        self.decode = Decoder(projection)
        self.entries: dict[str, SubjectState] = {}
        self._marks: Marks = {}
        self._careful = 0  # So many steps are to take one record each.
        self._budget = limits.budget

    def forget(self) -> None:
        """Drop the states: they may be wrong, or belong to another member."""
        self.entries = {}  # A new dict: a fold under way continues in the old one, without effect.

    def mark(self, failed: FoldFailedError) -> None:
        """Remember why folding a record failed, for the next try."""
        self._marks.setdefault(failed.place, {})[failed.offset] = failed.mark

    async def step(
        self, store: Store, held: Mapping[TopicPartition, Partition], work: Work
    ) -> FoldedBatch:
        """Fold as much as the budget allows and write it, in one transaction.

        Errors: FoldFailedError, WriteConflictError, and those of the store; `held` and the states
        are then in doubt, and must be read again.
        """
        step = await self.fold(store, held, work)
        await self.commit(store, step)
        self.trim()
        return step

    async def fold(
        self, store: Store, held: Mapping[TopicPartition, Partition], work: Work
    ) -> FoldedBatch:
        """Fold as much as the budget allows. Errors: FoldFailedError, and those of the store."""
        began = time.perf_counter()
        alone: Any | None = None
        entries, left, budget = self.entries, dict(work), self._budget
        if self._careful:
            self._careful -= 1
            alone, budget = next(iter(work.values()))[0], 1
        now = _first(work, budget)  # Their subjects are read at once.
        culprits: dict[TopicPartition, Any] = {}
        folding = BatchFold(self.projection, self.decode, entries, self._marks, budget=budget)
        wanted: dict[str, int] = {}
        for place, records in now.items():
            wanted.update(dict.fromkeys(missing(records, entries), place[1]))
        await _load(store, entries, wanted)
        for place, records in now.items():
            done = await self._drive(store, folding, held[place], records)
            left[place] = left[place][done:]
            if place in folding.stops:
                culprits[place] = left[place][0]
            if place in folding.stops or not left[place]:
                del left[place]
        writes = folding.writes
        rows = writes.rows(self.projection)
        brakes = {place: replace(held[place].brake) for place in now}
        reach("after_fold")
        seconds = time.perf_counter() - began
        return FoldedBatch(
            writes, rows, left, folding.stops, brakes, alone, seconds, culprits=culprits
        )

    async def commit(self, store: Store, step: FoldedBatch) -> None:
        """Write what a step folded.

        Errors: FoldFailedError, WriteConflictError, and those of the store.
        """
        began, writes = time.perf_counter(), step.writes
        if writes.cursors or writes.touched:
            reach("before_commit")
            try:
                await store.commit(writes, step.rows)
                self._budget = min(self._budget + CONFLICT_BUDGET, self.limits.budget)
            except WriteConflictError:
                # A writer of single subjects always wins against a batch of thousands: take fewer
                # until there is no conflict.
                self._budget = min(CONFLICT_BUDGET, self.limits.budget)
                raise
            except RowsRejectedError as refused:
                raise self._refused(step, refused) from refused
            except BroadcastContradictionError as halt:
                place, offset = writes.learned[halt.broadcast]
                raise FoldFailedError(place, offset, Park(BROADCAST, halt.reason)) from halt
            reach("after_commit")
            for place, cursor in writes.cursors.items():
                if marks := self._marks.get(place):
                    for offset in [each for each in marks if each < cursor.next_offset]:
                        del marks[offset]
        step.flush_seconds = time.perf_counter() - began

    def _refused(self, step: FoldedBatch, refused: RowsRejectedError) -> Exception:
        """Fold single records from now on, to find the one whose rows the store refuses."""
        if step.alone is None:
            self._careful = max(step.writes.records, step.writes.work) + 1
            return WriteConflictError("rows were refused")
        record = step.alone
        heard, _ = self.decode(record)
        numbered = isinstance(heard, Envelope) and heard.broadcastseq is not None
        mark = Park(BROADCAST if numbered else "fold", str(refused))
        return FoldFailedError((record.topic, record.partition), record.offset, mark)

    @property
    def is_full(self) -> bool:
        """Say whether states must be dropped before the next fold: `trim`, when all is written."""
        return self.projection.commands or len(self.entries) > self.limits.hot

    def trim(self) -> None:
        """Drop states beyond the limit; all of them if others write the same subjects."""
        if self.projection.commands:
            self.entries.clear()
        elif len(self.entries) > self.limits.hot:
            oldest = islice(self.entries, len(self.entries) - self.limits.hot * 3 // 4)
            for subject in list(oldest):
                del self.entries[subject]

    async def _drive(
        self, store: Store, folding: BatchFold, part: Partition, records: Sequence[Any]
    ) -> int:
        """Run the fold of a partition, fetching what it asks for."""
        await asyncio.sleep(0)  # Heartbeats, and the transaction that is under way.
        steps = folding.partition(part, records)
        try:
            while True:
                need = next(steps)
                if not need.subjects:
                    await asyncio.sleep(0)
                elif need.load is None:
                    wanted = dict.fromkeys(need.subjects, need.partition)
                    await _load(store, folding.entries, wanted)
                else:
                    (subject,) = need.subjects
                    rows = await store.older(need.load, subject)
                    self.projection.deepen(folding.entries[subject].state, need.load, rows)
        except StopIteration as end:
            done: int = end.value
            return done


def _first(work: Work, count: int) -> Work:
    """Give the first so many records, of one partition after the other."""
    some: dict[TopicPartition, Sequence[Any]] = {}
    for place, records in work.items():
        if count <= 0:
            break
        some[place] = records[:count]
        count -= len(records)
    return some


async def _load(
    store: Store, entries: dict[str, SubjectState], subjects: Mapping[str, int]
) -> None:
    if subjects:
        for entry in await store.entries(subjects):
            entries[entry.subject] = entry
