"""One record into one subject: its state, and what a transaction writes of it."""

from collections.abc import Mapping
from typing import Any

from shared.events.base import OutOfReach
from shared.events.envelope import Envelope
from shared.runtime.processing.apply import park_of
from shared.runtime.processing.decoder import BROADCAST, Park
from shared.runtime.processing.fold_signals import FoldFailedError, PartitionHalted
from shared.runtime.processing.stamping import Times, caused_by, source_of, stamp
from shared.runtime.processing.state import Partition, SubjectState
from shared.runtime.processing.write_batch import Parked, WriteBatch
from shared.runtime.projection import Load, Projection

_QUEUED = Park("queued", "")


class SubjectFold:
    """Folds and parks single records, into the writes of one transaction."""

    def __init__(
        self, projection: Projection[Any, Any], entries: Mapping[str, SubjectState]
    ) -> None:
        self.projection = projection
        self.entries = entries
        self.writes = WriteBatch()
        self._source = source_of(projection)
        self._named = any(kind.BROADCAST for kind in projection.hears)
        self._cause: Times | None = None
        self._apply_to = projection.fold

    def fold(
        self,
        part: Partition,
        entry: SubjectState,
        record: Any,
        heard: Envelope,
        *,
        at_hand: bool = False,
    ) -> Load | None:
        """Fold a record, or give what must be read before (`at_hand`: it has been read).

        This is `Rules.apply_one` written out: a generator a record costs too much here.
        Errors: FoldFailedError; PartitionHalted for a told event that a rebuild inserted.
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
        except Exception as error:
            raise _failure(part, record, park_of(error)) from error
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

    def touch(self, part: Partition, entry: SubjectState) -> None:
        """Let a subject's row be written."""
        self.writes.work += 1
        if not entry.touched:
            self._touch_first(part, entry)

    def _touch_first(self, part: Partition, entry: SubjectState) -> None:
        entry.touched = True
        self.writes.touched.append(entry)
        if not entry.version and self._named:
            part.add_name(entry.subject)

    def park(self, part: Partition, record: Any, subject: str, why: Park) -> None:
        """Park a record, and its subject with it.

        Errors: PartitionHalted if it concerns everybody, or if too many are parked (the brake).
        """
        if why.reason == BROADCAST:
            raise PartitionHalted("broadcast", why.error)
        entry = self.entries[subject]
        if not entry.parked:
            if (grip := part.brake.grips()) is not None:
                raise PartitionHalted("brake", f"{grip}; the next: {why.reason}: {why.error}")
            part.brake.count()
            entry.parked = True
        self.queue(part, record, entry, why)

    def queue(
        self,
        part: Partition,
        record: Any,
        entry: SubjectState,
        why: Park = _QUEUED,
        reference: int | None = None,
    ) -> None:
        """Put a record into its subject's queue. The subject's row is guarded against redrives."""
        self.touch(part, entry)
        value, headers = (None, []) if reference else (record.value, list(record.headers))
        self.writes.parked.append(
            Parked(
                entry.subject, part.topic, part.number, record.offset, value, headers,
                part.broadcast, reference, *why,
            )
        )  # fmt: skip


def _failure(part: Partition, record: Any, why: Park) -> Exception:
    if record.topic != part.topic:
        detail = f"what was told at {record.offset} cannot be folded: {why.error}"
        return PartitionHalted("told", detail)
    return FoldFailedError(part.place, record.offset, why)
