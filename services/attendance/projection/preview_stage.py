"""Attendance's stage of `tertib preview`: the assessor, folded in memory."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from services.attendance.projection import exports
from services.attendance.projection.assessor import Assessor
from shared.events import attendance as words
from shared.events.catalogue import BY_TYPE
from shared.events.envelope import Envelope
from shared.kernel.local_time import date_of
from shared.runtime.export.tables import Export
from shared.runtime.processing.in_memory import InMemoryProjection
from shared.runtime.projection import Row


class AssessorStage:
    """Applies facts in the order of the log, and numbers the broadcasts as a publisher does."""

    topics: Sequence[str] = (words.FACTS,)

    def __init__(self) -> None:
        self._folding = InMemoryProjection(Assessor(forgets=False))
        self._broadcasts = 0

    def hear(self, event: Envelope) -> Sequence[Envelope]:
        """Fold one fact; give the events that follow from it."""
        kind = BY_TYPE[event.type]
        if kind.BROADCAST and event.broadcastseq is None:
            self._broadcasts += 1
            event = msgspec.structs.replace(event, broadcastseq=self._broadcasts)
        return self._folding.hear(event)

    def tables(self) -> Mapping[str, tuple[Sequence[str], Iterable[Row]]]:
        """Give the exports `assessments` and `thresholds`, in the order of semantics E1."""
        return {
            "assessments": (_names(exports.ASSESSMENTS), self._assessments()),
            "thresholds": (_names(exports.THRESHOLDS), self._thresholds()),
        }

    def _assessments(self) -> Iterable[Row]:
        for subject, person in sorted(self._folding.states.items()):
            for day, said in sorted(person.days.items()):
                yield (
                    subject,
                    date_of(day),
                    said.status,
                    said.late,
                    said.early,
                    said.missed,
                    said.excuse_id,
                    said.revision,
                )

    def _thresholds(self) -> Iterable[Row]:
        for subject, person in sorted(self._folding.states.items()):
            for said in sorted(person.thresholds, key=lambda s: s.seq):
                yield (
                    subject,
                    said.year,
                    said.measure,
                    said.threshold_days,
                    said.days,
                    "active" if said.active else "retracted",
                    tuple(date_of(day) for day in said.dates),
                )


def _names(export: Export) -> Sequence[str]:
    return [column.name for column in export.columns]


def stage() -> AssessorStage:
    """Give a fresh stage."""
    return AssessorStage()
