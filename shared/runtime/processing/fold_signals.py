"""What a fold asks of its caller, and the two ways in which it ends early."""

from collections.abc import Generator, Sequence
from typing import NamedTuple

from shared.runtime.positions import TopicPartition
from shared.runtime.processing.decoder import Park
from shared.runtime.processing.halt import Halt, HaltKind
from shared.runtime.projection import Load

BREATH = 250  # Records folded, some 5 ms, before the event loop gets a turn (heartbeats, writing).

Marks = dict[TopicPartition, dict[int, Park]]  # By offset, why folding a record failed.


class Request(NamedTuple):
    """Subjects to be read into memory; or older rows (`load`) for one subject's state.

    No subjects: only give the event loop a turn.
    """

    subjects: Sequence[str]
    partition: int
    load: Load | None = None


BREATHER = Request((), -1)

Steps = Generator[Request, None, int]


class FoldFailedError(Exception):
    """A fold failed midway. Nothing of the transaction may be written: fold it again, marked."""

    def __init__(self, place: TopicPartition, offset: int, mark: Park) -> None:
        self.place = place
        self.offset = offset
        self.mark = mark
        super().__init__(f"{place} at {offset}: {mark.reason}")


class PartitionHalted(Exception):  # noqa: N818  (a signal, not an error)
    """The partition cannot continue; what was folded before the record is written."""

    def __init__(self, kind: HaltKind, detail: str) -> None:
        self.halt = Halt(kind, detail)
        super().__init__(detail)
