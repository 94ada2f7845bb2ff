"""What becomes of one record: the rules of number, gap, regency and contradiction, in one place.

A redrive and a preview apply records by this module; a consumer's hot loop (`fold.py`) has
`apply_one` written out for speed, and a property test compares it with this module.
"""

from bisect import bisect_right
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from typing import Any, Final

from shared.events.base import ContradictionError, OutOfReach
from shared.events.envelope import Envelope
from shared.runtime.processing.decoder import Park, describe
from shared.runtime.processing.halt import Halt
from shared.runtime.processing.stamping import Event, caused_by, source_of, stamp
from shared.runtime.processing.state import Partition, SubjectState
from shared.runtime.projection import Everybody, Load, Projection, Row


class Admitted(Enum):
    """What becomes of a record that is not parked."""

    FOLD = auto()
    NUMBER = auto()  # Its kind is not declared: only its number counts.
    REPEATED = auto()  # Applied before; or a told event behind later facts, which comes again.
    READ_BACK = auto()  # The service's own event, stored when it was told: no duplicate.


# By their own names: an attribute of an Enum costs a call in Python 3.11.
FOLD: Final = Admitted.FOLD
NUMBER: Final = Admitted.NUMBER
REPEATED: Final = Admitted.REPEATED
READ_BACK: Final = Admitted.READ_BACK


class UnappliedError(Exception):
    """A projection refused a record. Half of it may be in the state: restore that."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.park = park_of(error)
        super().__init__(f"{self.park.reason}: {self.park.error}")


class Rules:
    """The rules for the records of one projection. They judge; `apply_one` changes."""

    def __init__(self, projection: Projection[Any, Any]) -> None:
        self.source = source_of(projection)
        self._projection = projection
        self._knows = projection.knows_regency
        self._hears = frozenset(kind.type_name() for kind in projection.hears)
        # Told events of our own topic are folded as given: a rebuild inserts them in their order.
        self._tells = frozenset(kind.type_name() for kind in projection.tells)

    def hears(self, heard: Envelope) -> bool:
        """Say whether the projection declares the kind."""
        return heard.type in self._hears

    def admit(self, entry: SubjectState, heard: Envelope, knowledge: Any) -> Admitted | Park:
        """Judge a keyed record of a subject for whom no earlier record waits.

        A number that was applied before is dropped first, whatever else is wrong with its record.
        """
        number, source, last = heard.subjectseq, heard.source, 0
        if number is not None:
            last = entry.last_of(source, self.source)
            told = heard.type in self._tells  # Its number follows the derived events before it.
            if number <= last or (told and number > last + 1):
                again = told or source != self.source
                return REPEATED if again else READ_BACK
        if not self._knows(knowledge, heard.regency):
            return Park("unknown_tenant", f"regency {heard.regency} was never registered")
        if number is None:
            return FOLD
        if number > last + 1:
            return Park("gap", f"number {number} of {source} after {last}")
        return FOLD if heard.type in self._hears else NUMBER

    def is_ahead(self, entry: SubjectState, heard: Envelope) -> bool:
        """Say whether numbers are missing before a record."""
        return (heard.subjectseq or 0) > entry.last_of(heard.source, self.source) + 1

    def fills(self, entry: SubjectState, heard: Envelope) -> bool:
        """Say whether a record has the next number of its source: a queue may wait for it."""
        return heard.subjectseq == entry.last_of(heard.source, self.source) + 1

    def note(self, entry: SubjectState, heard: Envelope) -> None:
        """Note the number of a record that was admitted."""
        if heard.subjectseq is not None:
            entry.note(heard.source, self.source, heard.subjectseq)

    def apply_one(
        self, entry: SubjectState, heard: Envelope, knowledge: Any
    ) -> Generator[Load, Sequence[Row], list[Event]]:
        """Apply a record that was admitted, or a broadcast; give what follows, stamped.

        Yields the older rows that it needs, and wants them sent. Errors: UnappliedError.
        """
        projection, state = self._projection, entry.state
        self.note(entry, heard)
        with its_own_failures():
            if heard.broadcastseq is not None and not projection.concerns(state, heard):
                return []
            try:
                told = projection.fold(state, heard, knowledge, entry.last_seq)
            except OutOfReach:  # Rare: nearly all have what they need.
                load = projection.reach(state, heard, knowledge)
                if load is None:
                    raise
            else:
                return self._stamped(told, entry, heard)
        rows = yield load
        with its_own_failures():
            projection.deepen(state, load, rows)
            told = projection.fold(state, heard, knowledge, entry.last_seq)
            return self._stamped(told, entry, heard)

    def _stamped(self, told: Sequence[Any], entry: SubjectState, heard: Envelope) -> list[Event]:
        if not told:
            return []
        cause = caused_by(heard)
        return [stamp(each, self.source, entry, cause) for each in told]


def park_of(error: Exception) -> Park:
    """Say for what a record is parked whose fold raised this."""
    if isinstance(error, ContradictionError):
        return Park("contradiction", str(error))
    return Park("fold", describe(error))


@contextmanager
def its_own_failures() -> Iterator[None]:
    """Tell what a projection raises, which parks a record, from what a store raises."""
    try:
        yield
    except Exception as error:
        raise UnappliedError(error) from error


# Broadcasts: numbered without a gap, learned once, applied to everybody in bytewise order.


def admit_broadcast(part: Partition, heard: Envelope) -> bool | Halt:
    """Say whether a broadcast is news; a gap before it halts the partition."""
    number = heard.broadcastseq or 0
    if number <= part.broadcast:
        return False
    if number > part.broadcast + 1:
        return Halt("gap", f"broadcast {number} follows {part.broadcast}: a gap")
    return True


def learn(projection: Projection[Any, Any], part: Partition, heard: Envelope) -> Sequence[str]:
    """Add a broadcast to the knowledge, once; give the subjects that it may still concern.

    Errors: those of the projection.
    """
    number = heard.broadcastseq or 0
    if part.learned != number:
        projection.learn(part.knowledge, heard)
        part.learned = number
    audience = projection.audience(part.knowledge, heard)
    if isinstance(audience, Everybody):
        return part.names[bisect_right(part.names, part.last_subject) :]
    return sorted(s for s in audience.subjects if s > part.last_subject and part.holds(s))


def passed(part: Partition, heard: Envelope) -> None:
    """Note that a broadcast was applied to everybody."""
    part.broadcast, part.last_subject, part.learned = heard.broadcastseq or 0, "", 0
