"""One pass over a parked subject's queue: each record with the knowledge that stood before it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from shared.events.base import Contradiction
from shared.events.envelope import Envelope
from shared.runtime.processing.decoder import Decoder, SkippedEvent, Undecodable, describe
from shared.runtime.processing.stamping import caused_by, source_of, stamp
from shared.runtime.processing.state import SubjectState
from shared.runtime.processing.store_port import Store
from shared.runtime.processing.write_batch import ParkedRow, WriteBatch

Heard = Envelope | Undecodable | None


@dataclass(frozen=True)
class Stuck:
    """A row that still cannot be applied, and why."""

    row: ParkedRow
    error: str


class Redrive:
    """One pass over a queue, in memory. `spoilt`: a fold failed, so that the state is half."""

    def __init__(self, store: Store, entry: SubjectState, queue: Sequence[ParkedRow]) -> None:
        self.store = store
        self.entry = entry
        self.left = list(queue)
        self.spoilt = False
        self.writes = WriteBatch()
        self._decode = Decoder(store.projection)
        self._source = source_of(store.projection)
        self._known_to = -1
        self._knowledge: Any = None

    async def run(self) -> Stuck | None:
        """Apply what can be applied, in the order of the log.

        Behind a gap nothing is applied, be it a broadcast, but the event that fills it: so a queue
        ends the same, however much of it had come when it was looked at. Gives the record that
        cannot be applied; None if all are, or the first waits for one to come.
        """
        while (chosen := await self._next()) is not None:
            row, heard = chosen
            await self._know(row.broadcast if row.reference is None else row.reference)
            error = await self._apply(heard)
            if error is not None:
                return Stuck(row, error)
            self.left.remove(row)
            self.writes.settled[row.id] = "applied"
        return None

    async def _next(self) -> tuple[ParkedRow, Heard] | None:
        """Give the first row, or the one that fills the gap before it; None if it has not come."""
        if not self.left:
            return None
        row, *behind = self.left
        heard = await self._heard(row)
        if not isinstance(heard, Envelope) or heard.subjectseq is None:
            return row, heard
        wanted = self.entry.last_of(heard.source, self._source) + 1
        if heard.subjectseq <= wanted:
            return row, heard
        for other in behind:
            if other.reference is None:
                filling = await self._heard(other)
                if (
                    isinstance(filling, Envelope)
                    and (filling.source, filling.subjectseq) == (heard.source, wanted)
                ):  # fmt: skip
                    return other, filling
        return None

    async def _apply(self, heard: Heard) -> str | None:
        """Apply one record; give why it cannot be."""
        if isinstance(heard, Undecodable):
            return f"{heard.reason}: {heard.error}"
        if heard is None:
            return None  # The projection does not hear its kind any more.
        number, source = heard.subjectseq, heard.source
        if number is not None:
            if number <= self.entry.last_of(source, self._source):
                return None
            self.entry.note(source, self._source, number)
        try:
            if not isinstance(heard, SkippedEvent):
                await self._fold(heard)
        except _Failed as failed:
            self.spoilt = True
            return str(failed)
        return None

    async def _fold(self, heard: Envelope) -> None:
        entry, projection, knowledge = self.entry, self.store.projection, self._knowledge
        with _its_own_failures():
            if heard.broadcastseq is not None:
                if not projection.concerns(entry.state, heard):
                    return
            elif not projection.knows_regency(knowledge, heard.regency):
                raise _Failed(f"unknown_tenant: regency {heard.regency} was never registered")
            load = projection.reach(entry.state, heard, knowledge)
        if load is not None:
            rows = await self.store.older(load, entry.subject)
            with _its_own_failures():
                projection.deepen(entry.state, load, rows)
        with _its_own_failures():
            told = projection.fold(entry.state, heard, knowledge, entry.last_seq)
        cause = caused_by(heard)
        self.writes.events += [stamp(each, self._source, entry, cause) for each in told]

    async def _heard(self, row: ParkedRow) -> Heard:
        """Give what a row says."""
        if row.reference is not None:
            (broadcast,) = await self.store.broadcasts(row.reference - 1, row.reference)
            return broadcast
        key = self.entry.subject.encode()
        record = SimpleNamespace(headers=row.headers, value=row.value, key=key)
        return self._decode(record)[0]

    async def _know(self, number: int) -> None:
        """Bring the knowledge to where it stood before a record."""
        if self._known_to < 0 or number < self._known_to:
            self._knowledge = await self.store.knowledge(number)
        else:
            for broadcast in await self.store.broadcasts(self._known_to, number):
                self.store.projection.learn(self._knowledge, broadcast)
        self._known_to = number


class _Failed(Exception):  # noqa: N818  (what the record did)
    """A record cannot be applied: the message says why."""


@contextmanager
def _its_own_failures() -> Iterator[None]:
    """Tell what a projection raises, which parks a record, from what the store raises."""
    try:
        yield
    except _Failed:
        raise
    except Contradiction as error:
        raise _Failed(f"contradiction: {error}") from error
    except Exception as error:
        raise _Failed(f"fold: {describe(error)}") from error
