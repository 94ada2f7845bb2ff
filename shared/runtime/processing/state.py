"""What a consumer holds in memory: partitions up to their cursors, subjects with their states."""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shared.runtime.positions import TopicPartition
from shared.runtime.processing.brake import Brake
from shared.runtime.processing.halt import Halt


@dataclass(slots=True)
class SubjectState:
    """One subject in memory. `version` 0: it has no row yet.

    `last_seq`: the last number of the service's own events; `heard`: of every other source.
    """

    subject: str
    partition: int
    state: Any
    version: int = 0
    last_seq: int = 0
    heard: dict[str, int] = field(default_factory=dict)
    parked: bool = False
    touched: bool = False

    def last_of(self, source: str, own: str) -> int:
        """Give the last number known of a source (`own`: the service itself).

        The service's own events are in the row with their number already: when they are read back
        from the log nothing is written, which would conflict with the next writer.
        """
        return self.last_seq if source == own else self.heard.get(source, 0)

    def note(self, source: str, own: str, number: int) -> None:
        """Note the number of an event that is taken now."""
        if source == own:
            self.last_seq = number
        else:
            self.heard[source] = number


class Cursor(NamedTuple):
    """A row of `cursors`: how far a partition is applied, and the epoch that may write.

    `last_subject`: the record at `next_offset` is a broadcast applied up to this subject; or "".
    `tail`: a hash of the record before, to check that the log is still the same.
    """

    topic: str
    partition: int
    next_offset: int
    last_subject: str
    broadcast: int
    epoch: int
    tail: bytes | None = None
    stopped: Halt | None = None


@dataclass
class Partition:
    """A partition that is claimed, at its cursor. `names` are its subjects, in bytewise order.

    Names are kept only where broadcasts are heard. `learned`: the number of a broadcast that the
    knowledge holds already, while it is applied slice by slice.
    """

    topic: str
    number: int
    next_offset: int
    last_subject: str
    broadcast: int
    epoch: int
    knowledge: Any
    names: list[str]
    brake: Brake
    tail: bytes | None = None
    learned: int = 0

    @property
    def place(self) -> TopicPartition:
        """Say which partition this is."""
        return self.topic, self.number

    @property
    def cursor(self) -> Cursor:
        """Give the row of its cursor as it stands in memory."""
        return Cursor(
            self.topic,
            self.number,
            self.next_offset,
            self.last_subject,
            self.broadcast,
            self.epoch,
            self.tail,
        )

    def add_name(self, subject: str) -> None:
        """Note a new subject. Python orders texts by code point, as UTF-8 and COLLATE "C" do."""
        at = bisect_right(self.names, subject)
        if not at or self.names[at - 1] != subject:
            insort(self.names, subject)

    def holds(self, subject: str) -> bool:
        """Say whether the subject is one of this partition."""
        at = bisect_left(self.names, subject)
        return at < len(self.names) and self.names[at] == subject
