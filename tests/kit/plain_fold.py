"""The rules of `processing/apply.py`, one record at a time: what a consumer must conclude.

Nothing is batched, cut or kept half: each record is applied to copies, which are taken over only
if all of it went well. Slow on purpose, and free of everything that makes the runner fast.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from shared.events.envelope import Envelope
from shared.runtime.limits import Limits
from shared.runtime.processing.apply import (
    FOLD,
    NUMBER,
    REPEATED,
    Rules,
    UnappliedError,
    admit_broadcast,
    learn,
    passed,
)
from shared.runtime.processing.brake import Brake
from shared.runtime.processing.decoder import BROADCAST, Decoder, Park
from shared.runtime.processing.halt import Halt
from shared.runtime.processing.stamping import Event
from shared.runtime.processing.state import Partition, SubjectState
from shared.runtime.projection import Projection
from tests.kit.toy_facts import Record

Waits = tuple[str, int, str]  # A subject, the offset of a record that waits, and its reason.


@dataclass
class Plain:
    """One partition of a projection, and what its log left behind.

    `written_to`: of a broadcast that fails for somebody, whoever comes before him may be written
    already, in a transaction of its own; up to which subject, the loop's cursor says.
    """

    projection: Projection[Any, Any]
    limits: Limits
    topic: str
    events: list[Event] = field(default_factory=list)
    waits: list[Waits] = field(default_factory=list)
    entries: dict[str, SubjectState] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)
    repeated: int = 0
    written_to: str = ""

    def __post_init__(self) -> None:
        self.rules = Rules(self.projection)
        self.decode = Decoder(self.projection)
        knowledge = self.projection.knowledge()
        brake = Brake(self.limits)
        self.part = Partition(self.topic, 0, 0, "", 0, 1, knowledge, [], brake)

    def take(self, records: Sequence[Record]) -> Halt | None:
        """Apply a log; give why it stops, if it does."""
        for record in records:
            if (halt := self._one(record)) is not None:
                return halt
            self.part.next_offset = record.offset + 1
            self.part.brake.passed(1)
        return None

    def _one(self, record: Record) -> Halt | None:
        heard, subject = self.decode(record)
        if heard is None:
            return None
        if isinstance(heard, Park):
            return self._park(record, subject, heard)
        if heard.broadcastseq is not None:
            return self._broadcast(record, heard)
        return self._keyed(record, self._entry(subject), heard)

    def _keyed(self, record: Record, entry: SubjectState, heard: Envelope) -> Halt | None:
        subject = entry.subject
        if entry.parked:
            self.waits.append((subject, record.offset, "queued"))
            if self.rules.fills(entry, heard):
                self.filled.add(subject)
            return None
        admitted = self.rules.admit(entry, heard, self.part.knowledge)
        if isinstance(admitted, Park):
            return self._park(record, subject, admitted)
        if admitted is FOLD:
            return self._fold(record, entry, heard)
        if admitted is REPEATED:
            self.repeated += 1
        elif admitted is NUMBER:
            self.rules.note(entry, heard)
            self.part.add_name(subject)
        return None

    def _fold(self, record: Record, entry: SubjectState, heard: Envelope) -> Halt | None:
        subject = entry.subject
        try:
            self.entries[subject], told = self._applied(entry, heard)
        except UnappliedError as refused:
            return self._park(record, subject, refused.park)
        self.events += told
        self.part.add_name(subject)
        self.part.brake.in_a_row = 0
        return None

    def _broadcast(self, record: Record, heard: Envelope) -> Halt | None:
        part = self.part
        admitted = admit_broadcast(part, heard)
        if isinstance(admitted, Halt):
            return admitted
        if not admitted:
            self.repeated += 1
            return None
        if self.rules.hears(heard):
            before = {"": deepcopy((self.entries, self.events, self.waits))}
            try:
                names = learn(self.projection, part, heard)
            except Exception as error:  # noqa: BLE001  (whatever the projection raises)
                return Halt("broadcast", f"learned: {error}")
            for subject in names:
                entry = self._entry(subject)
                if entry.parked:
                    self.waits.append((subject, record.offset, "queued"))
                else:
                    try:
                        self.entries[subject], told = self._applied(entry, heard)
                    except UnappliedError as refused:
                        self.entries, self.events, self.waits = before[self.written_to]
                        return Halt("broadcast", f"applied to {subject}: {refused}")
                    self.events += told
                before[subject] = deepcopy((self.entries, self.events, self.waits))
        passed(part, heard)
        return None

    def _applied(self, entry: SubjectState, heard: Envelope) -> tuple[SubjectState, list[Event]]:
        """Apply a record to a copy. Errors: UnappliedError."""
        copy = deepcopy(entry)
        try:
            load = next(self.rules.apply_one(copy, heard, self.part.knowledge))
        except StopIteration as end:
            return copy, end.value
        raise AssertionError(f"{load.name} is asked for, and nothing here ever forgets a row")

    def _park(self, record: Record, subject: str, why: Park) -> Halt | None:
        if why.reason == BROADCAST:
            return Halt("broadcast", why.error)
        entry = self._entry(subject)
        if not entry.parked:
            if (grip := self.part.brake.grips()) is not None:
                return Halt("brake", grip)
            self.part.brake.count()
            entry.parked = True
        self.waits.append((subject, record.offset, why.reason))
        self.part.add_name(subject)
        return None

    def _entry(self, subject: str) -> SubjectState:
        if subject not in self.entries:
            self.entries[subject] = SubjectState(subject, 0, self.projection.restore(subject, {}))
        return self.entries[subject]
