"""Holding what was concluded anew against what was published, event by event."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.events.catalogue import BY_TYPE
from shared.runtime.reading import Record, head_of
from shared.runtime.writes import Event

SHOWN = 10  # Differences that a refusal shows: enough to see the kind.


@dataclass
class Differences:
    """The first differences, in the order in which they were found."""

    shown: list[str] = field(default_factory=list)

    @property
    def enough(self) -> bool:
        """Say whether more would not help."""
        return len(self.shown) >= SHOWN

    def add(self, difference: str) -> None:
        """Note one more."""
        if not self.enough:
            self.shown.append(difference)


class Comparison:
    """The events of one partition, kept as digests: their size does not matter.

    `last` is the last number that was said live, by subject. `heard` are types that the projection
    hears back: they are told, folded as given, and concluding one of them again is a difference.
    """

    def __init__(self, last: Mapping[str, int], heard: frozenset[str]) -> None:
        self._last = last
        self._heard = heard
        self._ours: dict[str, bytes] = {}
        self._again: list[str] = []
        self._found: set[bytes] = set()  # Digests: each is of one event, and already in memory.
        self.topics: set[str] = set()

    def take(self, concluded: Iterable[Event]) -> None:
        """Take what was concluded next."""
        for topic, _, name, type_, value in concluded:
            if type_ in self._heard:
                self._again.append(name)
            elif _is_derived(type_):
                self._ours[name] = _digest(value)
                self.topics.add(topic)

    @property
    def events(self) -> int:
        """Say how many events are compared."""
        return len(self._ours)

    def hold(self, records: Iterable[Record], differences: Differences) -> None:
        """Take what was published on one topic; repetitions on the wire are legal."""
        for record in records:
            head = head_of(record.value)
            ours = self._ours.get(head.id)
            if ours is not None:
                self._found.add(ours)
                if ours != _digest(record.value):
                    differences.add(f"{head.id} is concluded with other bytes than published")
            elif _is_derived(head.type) and head.subjectseq <= self._last.get(head.subject, 0):
                differences.add(f"{head.id} was published, and is not concluded again")

    def end(self, differences: Differences) -> None:
        """Name what was concluded and never published."""
        for name in self._again:
            differences.add(f"{name} is concluded beside what was told")
        for name, digest in self._ours.items():
            if digest not in self._found:
                differences.add(f"{name} is concluded, and was never published")


def _is_derived(type_: str) -> bool:
    return type_ in BY_TYPE and not BY_TYPE[type_].TOLD


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()[:16]
