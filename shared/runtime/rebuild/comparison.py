"""Holding what was concluded anew against what was published, event by event."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.events.catalogue import BY_TYPE
from shared.runtime.kafka.records import Head, head_of
from shared.runtime.processing.stamping import Event

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

    def take(self, others: "Differences") -> None:
        """Note what somebody else found."""
        for difference in others.shown:
            self.add(difference)


class Comparison:
    """The `events` of one partition, kept as digests: their size does not matter.

    `last` is the last number that was said live, by subject. `heard` are types that the projection
    hears back: they are told, folded as given, and concluding one of them again is a difference.
    """

    def __init__(self, last: Mapping[str, int], heard: frozenset[str]) -> None:
        self._last = last
        self._heard = heard
        self._left: dict[bytes, str] = {}  # What was not found yet: digest to id.
        self._found: set[bytes] = set()
        self._missed: dict[str, bytes] | None = None  # By id, once one is missed.
        self._again: list[str] = []
        self.topics: set[str] = set()
        self.events = 0

    def take(self, concluded: Iterable[Event]) -> None:
        """Take what was concluded next."""
        for topic, _, name, type_, value in concluded:
            if type_ in self._heard:
                self._again.append(name)
            elif _is_derived(type_):
                self._left[_digest(value)] = name
                self.topics.add(topic)
                self.events += 1

    def hold(self, published: Iterable[bytes], differences: Differences) -> None:
        """Take what was published on one topic; repetitions on the wire are legal."""
        left, found = self._left, self._found
        for value in published:
            digest = _digest(value)
            if left.pop(digest, None) is not None:
                found.add(digest)
            elif digest not in found:
                self._look_at(head_of(value), differences)

    def _look_at(self, head: Head, differences: Differences) -> None:
        """Say what is wrong with an event that was published, if anything is."""
        if not _is_derived(head.type):
            return  # It was told: folded as given.
        if self._missed is None:
            self._missed = {name: digest for digest, name in self._left.items()}
        digest = self._missed.get(head.id)
        if digest is not None:
            self._left.pop(digest, None)
            differences.add(f"{head.id} is concluded with other bytes than published")
        elif head.subjectseq <= self._last.get(head.subject, 0):
            differences.add(f"{head.id} was published, and is not concluded again")

    def end(self, differences: Differences) -> None:
        """Name what was concluded and never published."""
        for name in self._again:
            differences.add(f"{name} is concluded beside what was told")
        for name in self._left.values():
            differences.add(f"{name} is concluded, and was never published")


def _is_derived(type_: str) -> bool:
    return type_ in BY_TYPE and not BY_TYPE[type_].TOLD


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()[:16]
