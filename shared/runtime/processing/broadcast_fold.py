"""A broadcast, applied to everybody it concerns: in slices, as far as a transaction goes."""

from collections.abc import Generator, Sequence
from typing import Any

from shared.events.base import UnknownFoldVersionError
from shared.events.envelope import Envelope
from shared.runtime.processing import apply
from shared.runtime.processing.decoder import BROADCAST, Park, describe
from shared.runtime.processing.fold_signals import (
    BREATH,
    BREATHER,
    FoldFailedError,
    PartitionHalted,
    Request,
)
from shared.runtime.processing.halt import Halt
from shared.runtime.processing.state import Partition
from shared.runtime.processing.subject_fold import SubjectFold

SLICE = 1_000  # Subjects fetched at a time for a broadcast: a query of a few milliseconds.
VISITS = 10  # So many subjects that a broadcast does not concern cost as much as one it concerns.


class BroadcastFold:
    """Applies broadcasts by way of a SubjectFold. `budget` bounds the subjects touched."""

    def __init__(self, one: SubjectFold, rules: apply.Rules, budget: int) -> None:
        self._one = one
        self._rules = rules
        self._budget = budget
        self._projection = one.projection

    def apply(
        self, part: Partition, record: Any, heard: Envelope
    ) -> Generator[Request, None, bool]:
        """Apply a broadcast to everybody it concerns; False if the rest must wait.

        Errors: PartitionHalted, FoldFailedError.
        """
        admitted = apply.admit_broadcast(part, heard)
        if isinstance(admitted, Halt):
            raise PartitionHalted(*admitted)
        if not admitted:
            self._one.writes.ignored += 1
            return True
        if self._rules.hears(heard):
            names = self._learn(part, record, heard)
            if not (yield from self._apply(part, record, heard, names)):
                return False
        apply.passed(part, heard)
        return True

    def _learn(self, part: Partition, record: Any, heard: Envelope) -> Sequence[str]:
        """Add a broadcast to the knowledge; give the subjects that it may concern."""
        number, writes = heard.broadcastseq or 0, self._one.writes
        try:
            names = apply.learn(self._projection, part, heard)
        except UnknownFoldVersionError as error:
            raise PartitionHalted("fold_version", f"broadcast {number}: {error}") from error
        except Exception as error:
            detail = f"broadcast {number} cannot be learned: {apply.park_of(error).error}"
            raise PartitionHalted("broadcast", detail) from error
        writes.broadcasts[number] = heard.id, heard.type, record.value
        writes.learned[number] = part.place, record.offset
        return names

    def _apply(
        self, part: Partition, record: Any, heard: Envelope, names: Sequence[str]
    ) -> Generator[Request, None, bool]:
        """Apply a broadcast in bytewise order, as far as the budget goes."""
        writes, entries, budget = self._one.writes, self._one.entries, self._budget
        fold, concerns = self._one.fold, self._projection.concerns
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
                    yield BREATHER
                entry = entries[subject]
                try:
                    if entry.parked:
                        self._one.queue(part, record, entry, reference=heard.broadcastseq)
                    elif (
                        concerns(entry.state, heard)
                        and (load := fold(part, entry, record, heard)) is not None
                    ):
                        yield Request([subject], part.number, load)
                        fold(part, entry, record, heard, at_hand=True)
                except Exception as error:
                    why = (
                        error.mark.error if isinstance(error, FoldFailedError) else describe(error)
                    )
                    text = f"broadcast {heard.broadcastseq} cannot be applied to {subject}: {why}"
                    raise FoldFailedError(
                        part.place, record.offset, Park(BROADCAST, text)
                    ) from error
                last = subject
        writes.work += visits // VISITS
        return True
