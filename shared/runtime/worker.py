"""Folding what was read into a store, a transaction at a time; the hot states between them.

The same for a consumer, a rebuild and a test: who reads the log, and what happens after a failure,
is theirs.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from shared.events.envelope import Envelope
from shared.runtime.batch import Folding, Marks, Need, Spoilt, keyed
from shared.runtime.decoding import BROADCAST, Decoder, Taken, Undecodable
from shared.runtime.failpoints import reach
from shared.runtime.holding import Cursor, Entry, Partition, Place
from shared.runtime.limits import Limits
from shared.runtime.projection import Changes, Load, Projection, Row
from shared.runtime.writes import Waiting, Writes


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


Work = Mapping[Place, Sequence[Taken]]


@dataclass
class Step:
    """One transaction: what it wrote, what is left to fold, which partitions must stop."""

    writes: Writes
    left: dict[Place, Sequence[Taken]]
    stops: dict[Place, str]
    fold_seconds: float
    flush_seconds: float


class Worker:
    """Folds for one projection; `entries` are its hot states.

    Nothing in them is unwritten between two steps. After a step that raised: `forget`.
    """

    def __init__(self, projection: Projection[Any, Any], limits: Limits) -> None:
        self.projection = projection
        self.limits = limits
        self.decode = Decoder(projection)
        self.entries: dict[str, Entry] = {}
        self._marks: Marks = {}
        self._careful = 0  # So many steps are to take one record each.

    def forget(self) -> None:
        """Throw the states away: they are in doubt, or another's."""
        self.entries.clear()

    def mark(self, spoilt: Spoilt) -> None:
        """Remember what folding a record came to, for the next try."""
        self._marks.setdefault(spoilt.place, {})[spoilt.offset] = spoilt.mark

    async def step(self, store: Store, held: Mapping[Place, Partition], work: Work) -> Step:
        """Fold as much as the budget allows and write it, in one transaction.

        Errors: Spoilt, Fenced, Halt, and those of the store; `held` and the states are then in
        doubt, and must be read again.
        """
        began = time.perf_counter()
        careful = self._careful > 0
        now = self._first_of(work) if careful else work
        folding = Folding(
            self.projection,
            self.entries,
            self._marks,
            budget=1 if careful else self.limits.budget,
        )
        missing: dict[str, int] = {}
        for place, taken in now.items():
            missing.update(dict.fromkeys(keyed(taken, self.entries), place[1]))
        await self._load(store, missing)
        left = dict(work)
        for place, taken in now.items():
            done = await self._drive(store, folding, held[place], taken)
            left[place] = left[place][done:]
            if place in folding.stops or not left[place]:
                del left[place]
        folded = time.perf_counter()
        reach("after_fold")
        if folding.writes.cursors:
            await self._commit(store, folding.writes, now, careful=careful)
        self._settle(folding.writes)
        return Step(
            folding.writes, left, folding.stops, folded - began, time.perf_counter() - folded
        )

    async def _commit(self, store: Store, writes: Writes, work: Work, *, careful: bool) -> None:
        rows = writes.rows(self.projection)
        reach("before_commit")
        try:
            await store.commit(writes, rows)
        except Refused as refused:
            if not careful:
                # One of these records is the cause: the next steps take one at a time.
                self._careful = max(writes.records, 1) + 1
                raise Fenced("rows were refused") from refused
            ((place, taken),) = work.items()
            record, heard, _ = taken[0]
            reason = BROADCAST if _number_of(heard) else "fold"
            raise Spoilt(place, record.offset, Undecodable(reason, str(refused))) from refused
        except Halt as halt:
            for place, taken in work.items():
                for record, heard, _ in taken:
                    if _number_of(heard) == halt.broadcast:
                        mark = Undecodable(BROADCAST, halt.reason)
                        raise Spoilt(place, record.offset, mark) from halt
            raise
        reach("after_commit")

    def _first_of(self, work: Work) -> Work:
        """Take one record alone, while it is looked for which one the store refuses."""
        self._careful -= 1
        place, taken = next(iter(work.items()))
        return {place: taken[:1]}

    async def _drive(
        self, store: Store, folding: Folding, part: Partition, taken: Sequence[Taken]
    ) -> int:
        """Run the fold of a partition, fetching what it asks for."""
        steps = folding.partition(part, taken)
        try:
            while True:
                await self._fetch(store, next(steps))
        except StopIteration as end:
            done: int = end.value
            return done

    async def _fetch(self, store: Store, need: Need) -> None:
        if need.load is None:
            await self._load(store, dict.fromkeys(need.subjects, need.partition))
            return
        (subject,) = need.subjects
        rows = await store.older(need.load, subject)
        self.projection.deepen(self.entries[subject].state, need.load, rows)

    async def _load(self, store: Store, subjects: Mapping[str, int]) -> None:
        if subjects:
            for entry in await store.entries(subjects):
                self.entries[entry.subject] = entry

    def _settle(self, writes: Writes) -> None:
        """Keep what is worth keeping: nothing where others write the same subjects."""
        for place, cursor in writes.cursors.items():
            if marks := self._marks.get(place):
                for offset in [each for each in marks if each < cursor.next_offset]:
                    del marks[offset]
        if self.projection.commands:
            self.entries.clear()
        elif len(self.entries) > self.limits.hot:
            oldest = islice(self.entries, len(self.entries) - self.limits.hot * 3 // 4)
            for subject in list(oldest):
                del self.entries[subject]


def _number_of(heard: object) -> int | None:
    return heard.broadcastseq if isinstance(heard, Envelope) else None
