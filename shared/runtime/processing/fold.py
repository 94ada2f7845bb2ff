"""The pure part of a batch: records in log order become rows, events and new cursors.

A generator, because states must be fetched and this module does no I/O: it yields what it needs
(`Request`), and continues when the caller has put it into memory.
"""

from bisect import bisect_right
from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple

from shared.events.base import Contradiction, OutOfReach
from shared.events.envelope import Envelope
from shared.runtime.kafka.records import tail_of
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.decoder import (
    BROADCAST,
    Decoder,
    SkippedEvent,
    Undecodable,
    describe,
    text_of,
)
from shared.runtime.processing.halt import Halt, HaltKind
from shared.runtime.processing.stamping import Times, caused_by, source_of, stamp
from shared.runtime.processing.state import Cursor, Partition, SubjectState
from shared.runtime.processing.write_batch import Parked, WriteBatch
from shared.runtime.projection import Everybody, Load, Projection

SLICE = 1_000  # Subjects fetched at a time for a broadcast: a query of a few milliseconds.
VISITS = 10  # So many subjects that a broadcast does not concern cost as much as one it concerns.

BREATH = 250  # Records folded, some 5 ms, before the event loop gets a turn (heartbeats, writing).
_QUEUED = Undecodable("queued", "")
_NONE: Mapping[int, Undecodable] = {}

Steps = Generator["Request", None, int]


class Request(NamedTuple):
    """Subjects to be read into memory; or older rows (`load`) for one subject's state.

    No subjects: only give the event loop a turn.
    """

    subjects: Sequence[str]
    partition: int
    load: Load | None = None


Marks = dict[TopicPartition, dict[int, Undecodable]]  # By offset, why folding a record failed.


_BREATHER = Request((), -1)


class FoldFailed(Exception):  # noqa: N818  (what the states in memory are)
    """A fold failed midway. Nothing of the transaction may be written: fold it again, marked."""

    def __init__(self, place: TopicPartition, offset: int, mark: Undecodable) -> None:
        self.place = place
        self.offset = offset
        self.mark = mark
        super().__init__(f"{place} at {offset}: {mark.reason}")


class _Stop(Exception):  # noqa: N818  (what the partition does)
    """The partition cannot continue; what was folded before the record is written."""

    def __init__(self, kind: HaltKind, detail: str) -> None:
        self.halt = Halt(kind, detail)
        super().__init__(detail)


class BatchFold:
    """Folds records of one projection over entries in memory, into the writes of a transaction.

    `budget` limits the subjects touched; a broadcast that would exceed it is cut, and the cursor
    says after which subject to continue. `stops`: partitions that cannot continue, and why.
    """

    def __init__(
        self,
        projection: Projection[Any, Any],
        decode: Decoder,
        entries: dict[str, SubjectState],
        marks: Marks,
        *,
        budget: int,
    ) -> None:
        self.projection = projection
        self.decode = decode
        self.entries = entries
        self.marks = marks
        self.budget = budget
        self.writes = WriteBatch()
        self.stops: dict[TopicPartition, Halt] = {}
        self._source = source_of(projection)
        self._hears = frozenset(kind.type_name() for kind in projection.hears)
        self._named = any(kind.BROADCAST for kind in projection.hears)
        # Told events of our own topic are folded as given: a rebuild inserts them in their order.
        self._tells = frozenset(kind.type_name() for kind in projection.tells)
        self._cause: Times | None = None
        self._knows = projection.knows_regency
        self._apply_to = projection.fold

    def partition(self, part: Partition, records: Sequence[Any]) -> Steps:  # noqa: C901, PLR0912  (the hot path)
        """Fold the records of one partition; give how many were applied completely.

        Each is decoded when its turn comes and freed before the next: a batch of decoded records
        does not fit into a processor's cache. The entries of keyed records should be in memory;
        missing ones are fetched one by one. Errors: FoldFailed.
        """
        base, done = cursor_of(part), 0
        writes, entries, decode, fold = self.writes, self.entries, self.decode, self._fold
        budget, brake, latest = self.budget, part.brake, None
        topic = part.topic if self._tells else None  # None: there are no told events.
        writes.bases[part.place] = base
        marks = self.marks.get(part.place, _NONE)
        known = None  # The regency of the record before: a registration is never taken back.
        try:
            for record in records:
                if writes.work >= budget:
                    break
                heard, subject = decode(record)
                woven = topic is not None and record.topic != topic
                if marks and not woven:
                    heard = marks.get(record.offset, heard)
                if heard is not None:
                    if subject and subject not in entries:
                        yield Request([subject], part.number)
                    if isinstance(heard, Undecodable):
                        self._park(part, record, subject, heard)
                    elif heard.broadcastseq is not None:
                        if not (yield from self._broadcast(part, record, heard)):
                            break
                    elif (
                        not (entry := entries[subject]).parked
                        and heard.regency == known
                        and heard.subjectseq is None
                    ) or self._admits(part, entry, record, heard):
                        known = heard.regency
                        if (load := fold(part, entry, record, heard)) is not None:
                            yield Request([subject], part.number, load)
                            fold(part, entry, record, heard, at_hand=True)
                        brake.in_a_row = 0
                done += 1
                if not woven:
                    latest = record
                if not done % BREATH:
                    yield _BREATHER
        except _Stop as stop:
            self.stops[part.place] = stop.halt
        if done:
            brake.passed(done)
            writes.records += done
        if latest is not None:
            part.next_offset, part.tail = latest.offset + 1, tail_of(latest)
        if (now := cursor_of(part)) != base:
            writes.cursors[part.place] = now
        return done

    # Keyed records.

    def _admits(self, part: Partition, entry: SubjectState, record: Any, heard: Envelope) -> bool:
        """Say whether to fold a record now: it is not queued, not parked and no repetition."""
        if entry.parked:
            self._queue(part, record, entry)
            if heard.subjectseq == entry.last_of(heard.source, self._source) + 1:
                self.writes.filled.add(entry.subject)  # A gap may be closed: its queue drains.
            return False
        if not self._knows(part.knowledge, heard.regency):
            error = f"regency {heard.regency} was never registered"
            self._park(part, record, entry.subject, Undecodable("unknown_tenant", error))
            return False
        return heard.subjectseq is None or self._is_next(part, entry, record, heard)

    def _is_next(self, part: Partition, entry: SubjectState, record: Any, heard: Envelope) -> bool:
        """Compare an event's number with the last one; False if it is not to be folded (now)."""
        number, source = heard.subjectseq or 0, heard.source
        told = heard.type in self._tells  # Its number follows the derived events before it.
        last = entry.last_of(source, self._source)
        if number <= last or (told and number > last + 1):
            # A told event that stands behind later facts comes again there. One that the service
            # reads back from its own topic is no duplicate.
            self.writes.ignored += told or source != self._source
            return False
        if number > last + 1:
            error = f"number {number} of {heard.source} after {last}"
            self._park(part, record, entry.subject, Undecodable("gap", error))
            return False
        entry.note(source, self._source, number)
        if heard.__class__ is SkippedEvent:
            self._touch(part, entry)  # Its number must be stored, or the next would seem a gap.
            return False
        return True

    def _fold(
        self,
        part: Partition,
        entry: SubjectState,
        record: Any,
        heard: Envelope,
        *,
        at_hand: bool = False,
    ) -> Load | None:
        """Fold a record, or give what must be read before (`at_hand`: it has been read).

        Errors: FoldFailed.
        """
        state, knowledge = entry.state, part.knowledge
        try:
            try:
                told = self._apply_to(state, heard, knowledge, entry.last_seq)
            except OutOfReach:  # Rare: nearly all have what they need.
                load = self.projection.reach(state, heard, knowledge)
                if load is None or at_hand:
                    raise
                return load
        except Contradiction as error:
            raise self._spoilt(part, record, "contradiction", error) from error
        except Exception as error:
            raise self._spoilt(part, record, "fold", error) from error
        self.writes.work += 1
        if not entry.touched:
            self._touch_first(part, entry)
        if told:
            cause = self._cause
            if cause is None or cause.causationid != heard.id:
                cause = self._cause = caused_by(heard)  # The same for everybody it concerns.
            for each in told:
                self.writes.events.append(stamp(each, self._source, entry, cause))
        return None

    @staticmethod
    def _spoilt(part: Partition, record: Any, reason: str, error: Exception) -> Exception:
        if record.topic != part.topic:
            detail = f"what was told at {record.offset} cannot be folded: {_text(error)}"
            return _Stop("told", detail)
        return FoldFailed(part.place, record.offset, Undecodable(reason, _text(error)))

    def _touch(self, part: Partition, entry: SubjectState) -> None:
        self.writes.work += 1
        if not entry.touched:
            self._touch_first(part, entry)

    def _touch_first(self, part: Partition, entry: SubjectState) -> None:
        entry.touched = True
        self.writes.touched.append(entry)
        if not entry.version and self._named:
            part.add_name(entry.subject)

    # Broadcasts.

    def _broadcast(
        self, part: Partition, record: Any, heard: Envelope
    ) -> Generator[Request, None, bool]:
        """Apply a broadcast to everybody it concerns; False if it must wait, or stops."""
        number = heard.broadcastseq or 0
        if number <= part.broadcast:
            self.writes.ignored += 1
            return True
        if number > part.broadcast + 1:
            raise _Stop("gap", f"broadcast {number} follows {part.broadcast}: a gap")
        if heard.type in self._hears:
            names = self._learn(part, record, heard, number)
            if not (yield from self._apply(part, record, heard, names)):
                return False
        part.broadcast, part.last_subject, part.learned = number, "", 0
        return True

    def _learn(self, part: Partition, record: Any, heard: Envelope, number: int) -> Sequence[str]:
        """Add a broadcast to the knowledge; give the subjects that it may concern."""
        try:
            if part.learned != number:
                self.projection.learn(part.knowledge, heard)
                part.learned = number
            audience = self.projection.audience(part.knowledge, heard)
        except Exception as error:
            detail = f"broadcast {number} cannot be learned: {_text(error)}"
            raise _Stop("broadcast", detail) from error
        self.writes.broadcasts[number] = heard.id, heard.type, record.value
        self.writes.learned[number] = part.place, record.offset
        if isinstance(audience, Everybody):
            return part.names[bisect_right(part.names, part.last_subject) :]
        return sorted(s for s in audience.subjects if s > part.last_subject and part.holds(s))

    def _apply(
        self, part: Partition, record: Any, heard: Envelope, names: Sequence[str]
    ) -> Generator[Request, None, bool]:
        """Apply a broadcast in bytewise order, as far as the budget goes."""
        writes, entries, budget = self.writes, self.entries, self.budget
        fold, concerns = self._fold, self.projection.concerns
        visits, last = 0, part.last_subject
        for begin in range(0, len(names), SLICE):
            some = names[begin : begin + SLICE]
            if missing := [subject for subject in some if subject not in entries]:
                yield Request(missing, part.number)
            for subject in some:
                if writes.work >= budget:
                    part.last_subject = last
                    return False
                visits += 1
                if visits == BREATH:
                    visits = 0
                    writes.work += BREATH // VISITS
                    yield _BREATHER
                entry = entries[subject]
                try:
                    if entry.parked:
                        self._queue(part, record, entry, reference=heard.broadcastseq)
                    elif (
                        concerns(entry.state, heard)
                        and (load := fold(part, entry, record, heard)) is not None
                    ):
                        yield Request([subject], part.number, load)
                        fold(part, entry, record, heard, at_hand=True)
                except Exception as error:
                    why = error.mark.error if isinstance(error, FoldFailed) else describe(error)
                    text = f"broadcast {heard.broadcastseq} cannot be applied to {subject}: {why}"
                    mark = Undecodable(BROADCAST, text)
                    raise FoldFailed(part.place, record.offset, mark) from error
                last = subject
        writes.work += visits // VISITS
        return True

    # Parking.

    def _park(self, part: Partition, record: Any, subject: str, why: Undecodable) -> None:
        """Park a record, and its subject with it.

        Errors: _Stop if it was meant for everybody, or if too many are parked (the brake).
        """
        if why.reason == BROADCAST:
            raise _Stop("broadcast", why.error)
        entry = self.entries[subject]
        if not entry.parked:
            if (grip := part.brake.grips()) is not None:
                raise _Stop("brake", f"{grip}; the next: {why.reason}: {why.error}")
            part.brake.count()
            entry.parked = True
        self._queue(part, record, entry, why)

    def _queue(
        self,
        part: Partition,
        record: Any,
        entry: SubjectState,
        why: Undecodable = _QUEUED,
        reference: int | None = None,
    ) -> None:
        """Put a record into its subject's queue. The subject's row is guarded against redrives."""
        self._touch(part, entry)
        value, headers = (None, []) if reference else (record.value, list(record.headers))
        self.writes.parked.append(
            Parked(
                entry.subject, part.topic, part.number, record.offset, value, headers,
                part.broadcast, reference, *why,
            )
        )  # fmt: skip


def missing(records: Sequence[Any], known: Mapping[str, SubjectState]) -> list[str]:
    """Name the subjects of keyed records whose entries are not in memory, in order."""
    keys = dict.fromkeys([record.key for record in records if record.key])
    return [subject for key in keys if (subject := text_of(key)) not in known]


def cursor_of(part: Partition) -> Cursor:
    """Give the row of a partition's cursor as it stands in memory."""
    return Cursor(
        part.topic,
        part.number,
        part.next_offset,
        part.last_subject,
        part.broadcast,
        part.epoch,
        part.tail,
    )


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, Contradiction) else describe(error)
