"""The pure part of a batch: records in log order become rows, events and new cursors.

A generator, because states must be fetched and this module does no input or output: it yields what
it needs (`Need`), and goes on when the caller has put it into memory.
"""

from bisect import bisect_right, insort
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shared.events.envelope import Envelope, canonical, event_id
from shared.runtime.decoding import Decoder, Undecodable, key_of
from shared.runtime.projection import Changes, Contradiction, Everybody, Load, Projection, Told

SLICE = 1_000  # Subjects fetched at a time for a broadcast: a query of a few milliseconds.


@dataclass(slots=True)
class Entry:
    """One subject in memory. `version` 0: it has no row yet."""

    subject: str
    partition: int
    state: Any
    version: int = 0
    last_seq: int = 0
    heard: dict[str, int] = field(default_factory=dict)
    parked: bool = False
    touched: bool = False


@dataclass
class Partition:
    """What a member holds of a partition that it has claimed; `names` are its subjects, sorted."""

    topic: str
    number: int
    next_offset: int
    last_subject: str
    broadcast: int
    epoch: int
    knowledge: Any
    names: list[str]
    parked: set[str] = field(default_factory=set)
    parked_in_a_row: int = 0
    learning: int = 0  # The broadcast in progress, already learned.


class Need(NamedTuple):
    """Entries to be put into memory; or older rows (`load`) for one subject's state."""

    subjects: Sequence[str]
    partition: int
    load: Load | None = None


class Halt(Exception):  # noqa: N818  (what happens to the partition)
    """The partition cannot go on: the reason is told and stored, and nothing is skipped."""


class Poison(Exception):  # noqa: N818  (what the record is)
    """Folding a record failed: the batch is folded again, with this record parked."""

    def __init__(self, place: tuple[str, int, int], reason: str, error: str) -> None:
        self.place = place
        self.reason = reason
        self.error = error
        super().__init__(f"{place}: {reason}: {error}")


class Parked(NamedTuple):
    """A row of the parking place. `reference`: the number of a broadcast, instead of a value."""

    subject: str
    topic: str
    partition: int
    offset: int
    value: bytes | None
    headers: list[tuple[str, bytes]]
    broadcast: int
    reference: int | None
    reason: str
    error: str


@dataclass
class Writes:
    """Everything that one transaction writes."""

    bases: dict[tuple[str, int], tuple[int, str, int]] = field(default_factory=dict)
    cursors: dict[tuple[str, int], tuple[int, str, int]] = field(default_factory=dict)
    touched: list[Entry] = field(default_factory=list)
    events: list[tuple[str, str, str, str, bytes]] = field(default_factory=list)
    broadcasts: dict[int, tuple[str, str, bytes]] = field(default_factory=dict)
    parked: list[Parked] = field(default_factory=list)
    filled: set[str] = field(default_factory=set)
    work: int = 0
    records: int = 0
    ignored: int = 0

    def rows(self, projection: Projection[Any, Any]) -> dict[str, Changes]:
        """Drain the rows of every touched state, by table."""
        tables: dict[str, Changes] = {}
        for entry in self.touched:
            entry.touched = False
            for name, changes in projection.changes(entry.state):
                found = tables.get(name)
                if found is None:
                    found = tables[name] = Changes()
                found.inserts += changes.inserts
                found.upserts += changes.upserts
        return tables


class Folding:
    """Folds records of one projection over entries in memory, into the writes of a transaction.

    `budget` bounds the subjects touched; a broadcast that would go beyond it is cut, and the
    cursor says behind which subject to go on. `brake`: so many parked in a row stop the partition.
    """

    def __init__(
        self,
        projection: Projection[Any, Any],
        entries: dict[str, Entry],
        poison: Mapping[tuple[str, int, int], tuple[str, str]],
        *,
        budget: int,
        brake: int,
    ) -> None:
        self.projection = projection
        self.entries = entries
        self.poison = poison
        self.budget = budget
        self.brake = brake
        self.writes = Writes()
        self._decode = Decoder(projection.hears)
        self._source = f"/{projection.service}"
        self._knows = getattr(projection, "knows_regency", None)

    def partition(
        self, part: Partition, records: Sequence[Any]
    ) -> Generator[Need, None, int]:
        """Fold the records of one partition; give how many were taken whole."""
        decoded = [self._decode(record) for record in records]
        at = part.next_offset, part.last_subject, part.epoch
        self.writes.bases.setdefault((part.topic, part.number), at)
        yield from self._fetch(part, self._keyed(records, decoded))
        for number, (record, heard) in enumerate(zip(records, decoded, strict=True)):
            if self.writes.work >= self.budget:
                return number
            if heard is not None and heard.__class__ is not Undecodable:
                if heard.broadcastseq is not None:
                    if not (yield from self._broadcast(part, record, heard)):
                        return number
                else:
                    yield from self._one(part, record, heard)
            elif heard is not None:
                self._park(part, record, key_of(record), *heard)
            self.writes.records += 1
            part.next_offset = record.offset + 1
            self._moved(part)
        return len(records)

    # Keyed records.

    def _keyed(self, records: Sequence[Any], decoded: Sequence[Any]) -> list[str]:
        of = self.projection.subject_of
        found: dict[str, None] = {}
        for record, heard in zip(records, decoded, strict=True):
            if heard is None:
                continue
            if heard.__class__ is Undecodable:
                found[key_of(record)] = None
            elif heard.broadcastseq is None:
                found[of(heard)] = None
        return list(found)

    def _one(self, part: Partition, record: Any, heard: Envelope) -> Iterator[Need]:
        subject = self.projection.subject_of(heard)
        place = part.topic, part.number, record.offset
        if place in self.poison:
            self._park(part, record, subject, *self.poison[place])
            return
        if self._knows is not None and not self._knows(part.knowledge, heard.regency):
            error = f"regency {heard.regency} was never registered"
            self._park(part, record, subject, "unknown_tenant", error)
            return
        entry = self.entries[subject]
        if entry.parked:
            self._park(part, record, subject, "queued", "")
            if heard.subjectseq == entry.heard.get(heard.source, 0) + 1:
                self.writes.filled.add(subject)  # A gap may be closed: its queue drains.
            return
        if heard.subjectseq is not None and not self._in_sequence(part, record, entry, heard):
            return
        part.parked_in_a_row = 0
        yield from self._fold(part, entry, heard, place)

    def _in_sequence(self, part: Partition, record: Any, entry: Entry, heard: Envelope) -> bool:
        """Drop a repetition; park behind a gap, which is filled or alarmed (kafka.md 5)."""
        last = entry.heard.get(heard.source, 0)
        sequence = heard.subjectseq or 0
        if sequence <= last:
            self.writes.ignored += 1
            return False
        if sequence > last + 1:
            error = f"number {sequence} of {heard.source} after {last}"
            self._park(part, record, entry.subject, "gap", error)
            return False
        entry.heard[heard.source] = sequence
        return True

    def _fold(
        self, part: Partition, entry: Entry, heard: Envelope, place: tuple[str, int, int]
    ) -> Iterator[Need]:
        older = self.projection.reach(entry.state, heard, part.knowledge)
        if older is not None:
            yield Need([entry.subject], part.number, older)
        try:
            told = self.projection.fold(entry.state, heard, part.knowledge, entry.last_seq)
        except Contradiction as error:
            raise Poison(place, "contradiction", str(error)) from error
        except Exception as error:
            raise Poison(place, "fold", f"{type(error).__name__}: {error}") from error
        self.writes.work += 1
        if not entry.touched:
            entry.touched = True
            self.writes.touched.append(entry)
        for event in told:
            entry.last_seq += 1
            self.writes.events.append(stamp(event, self._source, entry, heard))

    # Broadcasts.

    def _broadcast(
        self, part: Partition, record: Any, heard: Envelope
    ) -> Generator[Need, None, bool]:
        """Apply a broadcast to everybody it concerns; False if the budget ended before that."""
        number = heard.broadcastseq or 0
        if number <= part.broadcast:
            self.writes.ignored += 1
            return True
        if number > part.broadcast + 1:
            raise Halt(f"broadcast {number} follows {part.broadcast}: a gap in the broadcasts")
        if part.learning != number:
            self._learn(part, heard)
            part.learning = number
            self.writes.broadcasts[number] = heard.id, heard.type, record.value
        names = self._audience(part, heard)
        for begin in range(0, len(names), SLICE):
            some = names[begin : begin + SLICE]
            yield from self._fetch(part, some)
            for subject in some:
                if self.writes.work >= self.budget:
                    self._moved(part)
                    return False
                yield from self._apply(part, record, heard, subject)
                part.last_subject = subject
        part.broadcast, part.last_subject = number, ""
        return True

    def _apply(
        self, part: Partition, record: Any, heard: Envelope, subject: str
    ) -> Iterator[Need]:
        entry = self.entries[subject]
        if entry.parked:
            self.writes.parked.append(
                Parked(
                    subject, part.topic, part.number, record.offset, None, [],
                    part.broadcast, heard.broadcastseq, "queued", "",
                )
            )  # fmt: skip
            return
        if self.projection.concerns(entry.state, heard):
            place = part.topic, part.number, record.offset
            try:
                yield from self._fold(part, entry, heard, place)
            except Poison as poison:
                raise Halt(
                    f"broadcast {heard.broadcastseq} cannot be applied to {subject}:"
                    f" {poison.error}"
                ) from poison

    def _learn(self, part: Partition, heard: Envelope) -> None:
        try:
            self.projection.learn(part.knowledge, heard)
        except Exception as error:
            raise Halt(f"broadcast {heard.broadcastseq} cannot be learned: {error}") from error

    def _audience(self, part: Partition, heard: Envelope) -> list[str]:
        audience = self.projection.audience(part.knowledge, heard)
        if isinstance(audience, Everybody):
            return part.names[bisect_right(part.names, part.last_subject) :]
        held = set(part.names)
        return sorted(s for s in audience.subjects & held if s > part.last_subject)

    # Memory, cursors, parking.

    def _fetch(self, part: Partition, subjects: Sequence[str]) -> Iterator[Need]:
        missing = [subject for subject in subjects if subject not in self.entries]
        if missing:
            yield Need(missing, part.number)

    def _moved(self, part: Partition) -> None:
        self.writes.cursors[part.topic, part.number] = (
            part.next_offset,
            part.last_subject,
            part.broadcast,
        )

    def _park(self, part: Partition, record: Any, subject: str, reason: str, error: str) -> None:
        """Park a record, and its subject with it: later ones queue behind (kafka.md 9)."""
        entry = self.entries[subject]
        if reason != "queued":
            part.parked_in_a_row += 1
            if part.parked_in_a_row > self.brake:
                raise Halt(f"{self.brake} records parked in a row; the last: {reason}: {error}")
        entry.parked = True
        part.parked.add(subject)
        if not entry.touched:
            entry.touched = True
            self.writes.touched.append(entry)
        self.writes.parked.append(
            Parked(
                subject, part.topic, part.number, record.offset, record.value,
                list(record.headers), part.broadcast, None, reason, error,
            )
        )  # fmt: skip
        self.writes.work += 1


def stamp(
    event: Told, source: str, entry: Entry, cause: Envelope
) -> tuple[str, str, str, str, bytes]:
    """Put an event told into its envelope: topic, key, id, type and the canonical bytes."""
    id_ = event_id(source, entry.subject, entry.last_seq)
    type_ = event.kind.type_name()
    value = canonical(
        Envelope(
            causationid=cause.id,
            correlationid=cause.correlationid or cause.id,
            data=event.data,
            id=id_,
            recordedtime=cause.recordedtime,
            regency=event.regency,
            source=source,
            subject=entry.subject,
            subjectseq=entry.last_seq,
            time=cause.recordedtime,
            type=type_,
        )
    )
    return event.kind.TOPIC, entry.subject, id_, type_, value


def add_name(part: Partition, subject: str) -> None:
    """Note a new subject of a partition, in bytewise order."""
    at = bisect_right(part.names, subject)
    if not at or part.names[at - 1] != subject:
        insort(part.names, subject)
