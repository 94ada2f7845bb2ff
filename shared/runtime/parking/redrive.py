"""One pass over a parked subject's queue: each record with the knowledge that stood before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from shared.events.envelope import Envelope
from shared.runtime.processing.apply import FOLD, NUMBER, Rules, UnappliedError
from shared.runtime.processing.decoder import Decoder, Park
from shared.runtime.processing.state import SubjectState
from shared.runtime.processing.store_port import Store
from shared.runtime.processing.write_batch import ParkedRow, WriteBatch

Heard = Envelope | Park | None


@dataclass(frozen=True)
class Stuck:
    """A row that still cannot be applied, and why."""

    row: ParkedRow
    error: str


class Redrive:
    """One pass over a queue, in memory. `failed`: a fold failed; the state may be half changed."""

    def __init__(self, store: Store, entry: SubjectState, queue: Sequence[ParkedRow]) -> None:
        self.store = store
        self.entry = entry
        self.left = list(queue)
        self.failed = False
        self.writes = WriteBatch()
        self._decode = Decoder(store.projection)
        self._rules = Rules(store.projection)
        self._known_to = -1
        self._knowledge: Any = None

    async def run(self) -> Stuck | None:
        """Apply what can be applied, in the order of the log.

        Behind a gap only the event that fills it is applied, and no broadcast either: so the
        result does not depend on how much of the queue had come when a pass began. Gives the
        record that cannot be applied; None if all were, or if the first one waits for a missing
        number.
        """
        while (chosen := await self._next()) is not None:
            row, heard = chosen
            await self._know(row.broadcast if row.reference is None else row.reference)
            why = await self._apply(heard)
            if why is not None:
                return Stuck(row, f"{why.reason}: {why.error}")
            self.left.remove(row)
            self.writes.settled[row.id] = "applied"
        return None

    async def _next(self) -> tuple[ParkedRow, Heard] | None:
        """Give the first row, or the one that fills the gap before it; None if there is none."""
        if not self.left:
            return None
        row, *behind = self.left
        heard = await self._heard(row)
        if not isinstance(heard, Envelope) or not self._rules.is_ahead(self.entry, heard):
            return row, heard
        for other in behind:
            if other.reference is None:
                filling = await self._heard(other)
                if (
                    isinstance(filling, Envelope)
                    and filling.source == heard.source
                    and self._rules.fills(self.entry, filling)
                ):
                    return other, filling
        return None

    async def _apply(self, heard: Heard) -> Park | None:
        """Apply one record; give the reason if that is not possible."""
        if isinstance(heard, Park):
            return heard
        if heard is None:
            return None  # The projection does not hear its kind any more.
        if heard.broadcastseq is None:
            admitted = self._rules.admit(self.entry, heard, self._knowledge)
            if isinstance(admitted, Park):
                return admitted
            if admitted is NUMBER:
                self._rules.note(self.entry, heard)
            if admitted is not FOLD:
                return None
        try:
            await self._fold(heard)
        except UnappliedError as refused:
            self.failed = True
            return refused.park
        return None

    async def _fold(self, heard: Envelope) -> None:
        steps = self._rules.apply_one(self.entry, heard, self._knowledge)
        try:
            load = next(steps)
            while True:
                load = steps.send(await self.store.older(load, self.entry.subject))
        except StopIteration as end:
            self.writes.events += end.value

    async def _heard(self, row: ParkedRow) -> Heard:
        """Decode a row."""
        if row.reference is not None:
            (broadcast,) = await self.store.broadcasts(row.reference - 1, row.reference)
            return broadcast
        key = self.entry.subject.encode()
        record = SimpleNamespace(headers=row.headers, value=row.value, key=key)
        return self._decode(record)[0]

    async def _know(self, number: int) -> None:
        """Bring the knowledge to its state before a record."""
        if self._known_to < 0 or number < self._known_to:
            self._knowledge = await self.store.knowledge(number)
        else:
            for broadcast in await self.store.broadcasts(self._known_to, number):
                self.store.projection.learn(self._knowledge, broadcast)
        self._known_to = number
