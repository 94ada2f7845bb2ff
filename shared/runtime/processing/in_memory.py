"""Folding in memory: what a backfill would give, without a broker and without a database.

The same projections as in the runner, applied to envelopes in the order of the log. One partition
holds everybody. Events get the ids, numbers and times that the runner would give them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from shared.events.base import NewEvent
from shared.events.envelope import Envelope
from shared.events.structs import decoder_of
from shared.runtime.processing.stamping import caused_by, source_of, stamp
from shared.runtime.processing.state import SubjectState
from shared.runtime.projection import Only, Projection, Row

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


class InMemoryProjection(Generic[State, Knowledge]):
    """A projection with its states and its rows in dicts.

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
        self._hears = frozenset(kind.type_name() for kind in projection.hears)
        self._source = source_of(projection)
        self._told: dict[str, SubjectState] = {}  # Who was spoken of, for the last number told.
        self._heard: dict[tuple[str, str], int] = {}  # The last heard, by source and subject.
        self._broadcastseq = 0
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

        Errors: what the fold raises; the record may then be half applied to the states.
        """
        if envelope.type not in self._hears or self._is_repeated(envelope):
            return []
        if envelope.broadcastseq is None:
            return self._fold(envelope.subject, envelope)
        self.projection.learn(self._knowledge, envelope)
        return [
            told
            for subject in self._touched_by(envelope)
            for told in self._fold(subject, envelope)
        ]

    def _is_repeated(self, envelope: Envelope) -> bool:
        if envelope.broadcastseq is not None:
            repeated = envelope.broadcastseq <= self._broadcastseq
            self._broadcastseq = max(self._broadcastseq, envelope.broadcastseq)
            return repeated
        if envelope.subjectseq is None:
            return False  # A fact: its fold drops it by its id.
        key = envelope.source, envelope.subject
        repeated = envelope.subjectseq <= self._heard.get(key, 0)
        self._heard[key] = max(self._heard.get(key, 0), envelope.subjectseq)
        return repeated

    def _touched_by(self, broadcast: Envelope) -> list[str]:
        """Name the subjects in the order of the runner's slices: bytewise."""
        audience = self.projection.audience(self._knowledge, broadcast)
        names = (
            (name for name in audience.subjects if name in self.states)
            if isinstance(audience, Only)
            else iter(self.states)
        )
        return sorted(
            (name for name in names if self.projection.concerns(self.states[name], broadcast)),
            key=str.encode,
        )

    def _fold(self, subject: str, heard: Envelope) -> list[Envelope]:
        state = self.states.get(subject)
        if state is None:
            nothing: dict[str, Sequence[Row]] = {load.name: () for load in self.projection.loads}
            state = self.projection.restore(subject, nothing)
            self.states[subject] = state
        if self.projection.reach(state, heard, self._knowledge) is not None:
            message = f"{self.projection.name} asks for older rows, which memory does not keep"
            raise NotImplementedError(message)
        entry = self._told.get(subject)
        if entry is None:
            entry = self._told[subject] = SubjectState(subject, 0, None)
        told = self.projection.fold(state, heard, self._knowledge, entry.last_seq)
        self._write(state)
        return [self._heard_again(each, entry, heard) for each in told]

    def _heard_again(self, told: NewEvent, entry: SubjectState, cause: Envelope) -> Envelope:
        """Give an event as its consumers see it: decoded from the bytes that a runner writes."""
        *_, value = stamp(told, self._source, entry, caused_by(cause))
        return decoder_of(told.kind).decode(value)

    def _write(self, state: State) -> None:
        for table, changes in self.projection.changes(state):
            if not self._keep_rows:
                continue  # Drained all the same, as a state expects it.
            for row in (*changes.inserts, *changes.upserts):
                self._rows[table][tuple(row[i] for i in self._keys[table])] = row


def project(projection: Projection[Any, Any], envelopes: Iterable[Envelope]) -> list[Envelope]:
    """Fold a whole log, and give the events, in order."""
    driver = InMemoryProjection(projection)
    return [event for envelope in envelopes for event in driver.hear(envelope)]
