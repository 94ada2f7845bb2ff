"""Folding what was read into a store, a transaction at a time; the hot states between them.

The same for a consumer, a rebuild and a test: who reads the log, and what happens after a failure,
is theirs.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Protocol

from shared.events.envelope import Envelope
from shared.runtime.batch import Folding, Marks, Spoilt, missing
from shared.runtime.decoding import BROADCAST, Decoder, Undecodable
from shared.runtime.failpoints import reach
from shared.runtime.holding import Brake, Cursor, Entry, Partition, Place
from shared.runtime.limits import Limits
from shared.runtime.projection import Changes, Load, Projection, Row
from shared.runtime.writes import Waiting, Writes

# Records of the next transaction when somebody was faster; so many more each time.
OVERTAKEN = 100


class Fenced(Exception):  # noqa: N818  (what happened to the writer)
    """Somebody else wrote a cursor or a subject first: nothing of this is written."""


class Halt(Exception):  # noqa: N818  (what happens to the partition)
    """A broadcast that is to be written contradicts the stored one: nothing is written."""

    def __init__(self, broadcast: int, reason: str) -> None:
        self.broadcast = broadcast
        self.reason = reason
        super().__init__(reason)


class Refused(Exception):  # noqa: N818  (what happened to the rows)
    """The store is there and will never take these rows: nothing is written."""


class Store(Protocol):
    """Where a projection is kept: PostgreSQL, or memory in tests. One table set.

    Errors of every method: Unavailable ones of the implementation; they never mean "not there".
    """

    projection: Projection[Any, Any]

    async def live(self) -> "Store":
        """Give the store of the table set that is live now: a rebuild may have switched it."""

    async def claim(self, places: Iterable[Place], owner: str) -> list[Cursor]:
        """Take partitions: their epoch grows, and whoever held them before writes no more."""

    async def cursors(self, places: Iterable[Place]) -> list[Cursor]:
        """Read cursors; a partition that was never bootstrapped is missing."""

    async def partitions(self, cursors: Sequence[Cursor], limits: Limits) -> list[Partition]:
        """Build what claimed partitions know: knowledge, and names where broadcasts are heard."""

    async def knowledge(self, number: int) -> Any:
        """Give the knowledge as of a broadcast's number."""

    async def broadcasts(self, after: int, last: int) -> list[Envelope]:
        """Give the broadcasts numbered after one number, up to another."""

    async def queue(self, subject: str) -> list[Waiting]:
        """Give what waits of a parked subject, in the order of the log."""

    async def entries(self, subjects: Mapping[str, int]) -> list[Entry]:
        """Read subjects (to their partitions) with their states, as of one moment."""

    async def older(self, load: Load, subject: str) -> list[Row]:
        """Read the rows that one subject's fold asks for."""

    async def commit(self, writes: Writes, rows: Mapping[str, Changes]) -> None:
        """Write everything or nothing. Errors: Fenced, Halt, Refused."""

    async def stop(self, cursor: Cursor, reason: str | None) -> None:
        """Say in the cursor's row why a partition stands still; None: it goes on."""


Work = Mapping[Place, Sequence[Any]]  # Records, as they were read.


@dataclass
class Step:
    """One transaction: what it is to write, what is left to fold, which partitions must stop.

    `culprits` are the records that stopped them.
    `rows` are drained from the states, so that these may be folded further before it is written.
    """

    writes: Writes
    rows: Mapping[str, Changes]
    left: dict[Place, Sequence[Any]]
    stops: dict[Place, str]
    brakes: dict[Place, Brake]
    alone: Any | None
    fold_seconds: float
    flush_seconds: float = 0.0
    culprits: dict[Place, Any] = field(default_factory=dict)


class Worker:
    """Folds for one projection; `entries` are its hot states.

    They are ahead of what is written by the steps under way. After one that failed: `forget`.
    """

    def __init__(self, projection: Projection[Any, Any], limits: Limits) -> None:
        self.projection = projection
        self.limits = limits
        self.decode = Decoder(projection)
        self.entries: dict[str, Entry] = {}
        self._marks: Marks = {}
        self._careful = 0  # So many steps are to take one record each.
        self._budget = limits.budget

    def forget(self) -> None:
        """Throw the states away: they are in doubt, or another's."""
        self.entries = {}  # A new one: a fold under way goes on in the old, for nothing.

    def mark(self, spoilt: Spoilt) -> None:
        """Remember what folding a record came to, for the next try."""
        self._marks.setdefault(spoilt.place, {})[spoilt.offset] = spoilt.mark

    async def step(self, store: Store, held: Mapping[Place, Partition], work: Work) -> Step:
        """Fold as much as the budget allows and write it, in one transaction.

        Errors: Spoilt, Fenced, and those of the store; `held` and the states are then in doubt,
        and must be read again.
        """
        step = await self.fold(store, held, work)
        await self.commit(store, step)
        self.trim()
        return step

    async def fold(self, store: Store, held: Mapping[Place, Partition], work: Work) -> Step:
        """Fold as much as the budget allows. Errors: Spoilt, and those of the store."""
        began = time.perf_counter()
        alone: Any | None = None
        entries, left, budget = self.entries, dict(work), self._budget
        if self._careful:
            self._careful -= 1
            alone, budget = next(iter(work.values()))[0], 1
        now = _first(work, budget)  # Their subjects are read at once.
        culprits: dict[Place, Any] = {}
        folding = Folding(self.projection, self.decode, entries, self._marks, budget=budget)
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
        return Step(writes, rows, left, folding.stops, brakes, alone, seconds, culprits=culprits)

    async def commit(self, store: Store, step: Step) -> None:
        """Write what a step folded. Errors: Spoilt, Fenced, and those of the store."""
        began, writes = time.perf_counter(), step.writes
        if writes.cursors or writes.touched:
            reach("before_commit")
            try:
                await store.commit(writes, step.rows)
                self._budget = min(self._budget + OVERTAKEN, self.limits.budget)
            except Fenced:
                # Whoever writes one subject at a time wins against thousands at once, and goes on
                # winning: fewer, until the way is free again.
                self._budget = min(OVERTAKEN, self.limits.budget)
                raise
            except Refused as refused:
                raise self._refused(step, refused) from refused
            except Halt as halt:
                place, offset = writes.learned[halt.broadcast]
                raise Spoilt(place, offset, Undecodable(BROADCAST, halt.reason)) from halt
            reach("after_commit")
            for place, cursor in writes.cursors.items():
                if marks := self._marks.get(place):
                    for offset in [each for each in marks if each < cursor.next_offset]:
                        del marks[offset]
        step.flush_seconds = time.perf_counter() - began

    def _refused(self, step: Step, refused: Refused) -> Exception:
        """Look for the record whose rows the store never takes, one step after the other."""
        if step.alone is None:
            self._careful = max(step.writes.records, step.writes.work) + 1
            return Fenced("rows were refused")
        record = step.alone
        heard, _ = self.decode(record)
        numbered = isinstance(heard, Envelope) and heard.broadcastseq is not None
        mark = Undecodable(BROADCAST if numbered else "fold", str(refused))
        return Spoilt((record.topic, record.partition), record.offset, mark)

    @property
    def is_full(self) -> bool:
        """Say whether states must be dropped before the next fold: `trim`, when all is written."""
        return self.projection.commands or len(self.entries) > self.limits.hot

    def trim(self) -> None:
        """Keep what is worth keeping: nothing where others write the same subjects."""
        if self.projection.commands:
            self.entries.clear()
        elif len(self.entries) > self.limits.hot:
            oldest = islice(self.entries, len(self.entries) - self.limits.hot * 3 // 4)
            for subject in list(oldest):
                del self.entries[subject]

    async def _drive(
        self, store: Store, folding: Folding, part: Partition, records: Sequence[Any]
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
    some: dict[Place, Sequence[Any]] = {}
    for place, records in work.items():
        if count <= 0:
            break
        some[place] = records[:count]
        count -= len(records)
    return some


async def _load(store: Store, entries: dict[str, Entry], subjects: Mapping[str, int]) -> None:
    if subjects:
        for entry in await store.entries(subjects):
            entries[entry.subject] = entry
