"""Folding in memory: what a backfill would give, without a broker and without a database.

The same projections as in the runner, applied to envelopes in the order of the log. One partition
holds everybody. Events get the ids, numbers and times that the runner would give them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Generic, Protocol, TypeVar

from shared.events.catalogue import BY_TYPE
from shared.events.envelope import Envelope
from shared.events.structs import decoder_of
from shared.runtime.limits import Limits
from shared.runtime.processing.apply import (
    FOLD,
    NUMBER,
    Rules,
    UnappliedError,
    admit_broadcast,
    learn,
    passed,
)
from shared.runtime.processing.brake import Brake
from shared.runtime.processing.decoder import Park
from shared.runtime.processing.halt import Halt
from shared.runtime.processing.stamping import Event
from shared.runtime.processing.state import Partition, SubjectState
from shared.runtime.projection import Projection, Row

State = TypeVar("State")
Knowledge = TypeVar("Knowledge")


class Stage(Protocol):
    """What a service gives `tertib preview` under the entry point group `tertib.preview`.

    `topics` are those it consumes. `hear` takes one envelope of them and gives the events that
    follow, in order; the stages that consume their topic get them. `tables` gives, by the name of
    the export, the columns and the rows in the order of semantics E1.
    """

    topics: Sequence[str]

    def hear(self, event: Envelope, /) -> Sequence[Envelope]:
        """Apply one envelope, and give the events that follow."""

    def tables(self) -> Mapping[str, tuple[Sequence[str], Iterable[Row]]]:
        """Give columns and rows by export."""


class NotFoldedError(Exception):
    """A record that a consumer would park, or stop at: there is nobody here to wait for it."""


class InMemoryProjection(Generic[State, Knowledge]):
    """A projection with its states and its rows in dicts, by the rules of `apply.py`.

    `states` is by subject, in no order; rows are kept only if wanted. A projection that asks for
    older rows (`reach`) cannot run here: its states must be complete.
    """

    def __init__(
        self, projection: Projection[State, Knowledge], *, keep_rows: bool = False
    ) -> None:
        self.projection = projection
        self._keep_rows = keep_rows
        self.states: dict[str, State] = {}
        self._knowledge = projection.knowledge()
        self._part = Partition("", 0, 0, "", 0, 0, self._knowledge, [], Brake(Limits()))
        self._rules = Rules(projection)
        self._entries: dict[str, SubjectState] = {}  # With the numbers; the state is in `states`.
        self._keys = {
            table.name: [list(table.columns).index(column) for column in table.primary_key]
            for table in projection.tables
        }
        self._rows: dict[str, dict[Row, Row]] = {name: {} for name in self._keys}

    def rows(self, table: str) -> Iterable[Row]:
        """Give what the table would hold, in the order in which its rows first came."""
        return self._rows[table].values()

    def hear(self, envelope: Envelope) -> list[Envelope]:
        """Fold one record; kinds that the projection does not declare and repetitions are skipped.

        Errors: NotFoldedError if a consumer would not fold it; what the fold raises, and the
        record may then be half applied to the states.
        """
        if envelope.broadcastseq is not None:
            return self._hear_broadcast(envelope)
        if envelope.subjectseq is None and not self._rules.hears(envelope):
            return []
        entry = self._entry(envelope.subject)
        admitted = self._rules.admit(entry, envelope, self._knowledge)
        if isinstance(admitted, Park):
            raise NotFoldedError(f"{envelope.id}: {admitted.reason}: {admitted.error}")
        if admitted is NUMBER:
            self._rules.note(entry, envelope)
        return self._fold(envelope.subject, envelope) if admitted is FOLD else []

    def _hear_broadcast(self, envelope: Envelope) -> list[Envelope]:
        part = self._part
        admitted = admit_broadcast(part, envelope)
        if isinstance(admitted, Halt):
            raise NotFoldedError(f"{envelope.id}: {admitted.detail}")
        if not admitted:
            return []
        told: list[Envelope] = []
        if self._rules.hears(envelope):
            concerns = self.projection.concerns
            for subject in learn(self.projection, part, envelope):
                if concerns(self.states[subject], envelope):
                    told += self._fold(subject, envelope)
        passed(part, envelope)
        return told

    def _entry(self, subject: str) -> SubjectState:
        entry = self._entries.get(subject)
        if entry is None:
            entry = self._entries[subject] = SubjectState(subject, 0, None)
        return entry

    def _fold(self, subject: str, heard: Envelope) -> list[Envelope]:
        state = self.states.get(subject)
        if state is None:
            nothing: dict[str, Sequence[Row]] = {load.name: () for load in self.projection.loads}
            state = self.projection.restore(subject, nothing)
            self.states[subject] = state
            self._part.add_name(subject)
        entry = self._entry(subject)
        entry.state = state
        try:
            load = next(self._rules.apply_one(entry, heard, self._knowledge))
        except StopIteration as end:
            self._write(state)
            return [_heard_again(event) for event in end.value]
        except UnappliedError as refused:
            raise refused.error from None
        message = f"{self.projection.name} asks for {load.name}, which memory does not keep"
        raise NotImplementedError(message)

    def _write(self, state: State) -> None:
        for table, changes in self.projection.changes(state):
            if not self._keep_rows:
                continue  # Drained all the same, as a state expects it.
            for row in (*changes.inserts, *changes.upserts):
                self._rows[table][tuple(row[i] for i in self._keys[table])] = row


def _heard_again(told: Event) -> Envelope:
    """Give an event as its consumers see it: decoded from the bytes that a runner writes."""
    *_, type_, value = told
    return _decode(type_)(value)


@cache
def _decode(type_: str) -> Callable[[bytes], Envelope]:
    return decoder_of(BY_TYPE[type_]).decode


def project(projection: Projection[Any, Any], envelopes: Iterable[Envelope]) -> list[Envelope]:
    """Fold a whole log, and give the events, in order."""
    driver = InMemoryProjection(projection)
    return [event for envelope in envelopes for event in driver.hear(envelope)]
