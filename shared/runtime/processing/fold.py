"""The pure part of a batch: records in log order become rows, events and new cursors.

A generator, because states must be fetched and this module does no I/O: it yields what it needs
(`Request`), and continues when the caller has put it into memory.
"""

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

from shared.events.envelope import Envelope
from shared.runtime.kafka.records import tail_of
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.apply import FOLD, NUMBER, READ_BACK, REPEATED, Rules
from shared.runtime.processing.broadcast_fold import BroadcastFold
from shared.runtime.processing.decoder import Decoder, Park, text_of
from shared.runtime.processing.fold_signals import (
    BREATH,
    BREATHER,
    Marks,
    PartitionHalted,
    Request,
    Steps,
)
from shared.runtime.processing.halt import Halt
from shared.runtime.processing.state import Partition, SubjectState
from shared.runtime.processing.subject_fold import SubjectFold
from shared.runtime.projection import Projection

_NONE: Mapping[int, Park] = {}


class BatchFold:
    """Folds records of one projection over entries in memory, into the writes of a transaction.

    `budget` limits the subjects touched; a broadcast that would exceed it is cut, and the cursor
    says after which subject to continue. `stops`: partitions that cannot continue, and why.
    The rules for a record are in `apply.py`; a property test compares this loop with them.
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
        self.decode = decode
        self.entries = entries
        self.marks = marks
        self.budget = budget
        self.stops: dict[TopicPartition, Halt] = {}
        self._rules = Rules(projection)
        self._one = SubjectFold(projection, entries)
        self._broadcasts = BroadcastFold(self._one, self._rules, budget)
        self._told = bool(projection.tells)
        self.writes = self._one.writes

    def partition(self, part: Partition, records: Sequence[Any]) -> Steps:  # noqa: C901, PLR0912  (the hot path)
        """Fold the records of one partition; give how many were applied completely.

        Each is decoded when its turn comes and freed before the next: a batch of decoded records
        does not fit into a processor's cache. The entries of keyed records should be in memory;
        missing ones are fetched one by one. Errors: FoldFailedError.
        """
        base, done = part.cursor, 0
        writes, entries, decode, fold = self.writes, self.entries, self.decode, self._one.fold
        budget, brake, latest = self.budget, part.brake, None
        topic = part.topic if self._told else None  # None: there are no told events.
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
                    if isinstance(heard, Park):
                        self._one.park(part, record, subject, heard)
                    elif heard.broadcastseq is not None:
                        if not (yield from self._broadcasts.apply(part, record, heard)):
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
                    yield BREATHER
        except PartitionHalted as halted:
            self.stops[part.place] = halted.halt
        if done:
            brake.passed(done)
            writes.records += done
        if latest is not None:
            part.next_offset, part.tail = latest.offset + 1, tail_of(latest)
        if (now := part.cursor) != base:
            writes.cursors[part.place] = now
        return done

    def _admits(self, part: Partition, entry: SubjectState, record: Any, heard: Envelope) -> bool:
        """Say whether to fold a record now: it is not queued, not parked and no repetition."""
        rules, one = self._rules, self._one
        if entry.parked:
            one.queue(part, record, entry)
            if rules.fills(entry, heard):
                self.writes.filled.add(entry.subject)  # A gap may be closed: its queue drains.
            return False
        admitted = rules.admit(entry, heard, part.knowledge)
        if admitted is FOLD:
            if heard.subjectseq is not None:
                entry.note(heard.source, rules.source, heard.subjectseq)
            return True
        if admitted is NUMBER:
            rules.note(entry, heard)
            one.touch(part, entry)  # Its number must be stored, or the next would seem a gap.
        elif admitted is REPEATED:
            self.writes.ignored += 1
        elif admitted is READ_BACK:
            pass
        elif isinstance(admitted, Park):
            one.park(part, record, entry.subject, admitted)
        else:
            assert_never(admitted)
        return False


def missing(records: Sequence[Any], known: Mapping[str, SubjectState]) -> list[str]:
    """Name the subjects of keyed records whose entries are not in memory, in order."""
    keys = dict.fromkeys([record.key for record in records if record.key])
    return [subject for key in keys if (subject := text_of(key)) not in known]
