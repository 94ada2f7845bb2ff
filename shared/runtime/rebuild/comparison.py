"""Compares what a rebuild concludes with what was published, event by event."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from shared.events.catalogue import BY_TYPE
from shared.runtime.kafka.records import head_of
from shared.runtime.processing.stamping import Event
from shared.runtime.rebuild.differing import first_difference
from shared.runtime.rebuild.published_log import Published, digest_of

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


class EnoughDiffer(Exception):  # noqa: N818  (a signal, not an error)
    """So much differs that folding on would show nothing new: `end` says what."""


class Comparison:
    """The events of one partition, as they are concluded, against digests of what was published.

    `last` is the last number that was said, by subject: up to it everything concluded must have
    been published, and everything published be concluded. `heard` are types that the projection
    hears back: they are told, folded as given, and concluding one of them again is a difference.
    """

    def __init__(
        self, published: Published, last: Mapping[str, int], heard: frozenset[str]
    ) -> None:
        self._left = published.digests  # What was not concluded yet.
        self._last = last
        self._heard = heard
        self._missed: dict[str, bytes] = {}  # Concluded, and not published in these bytes.
        self._again: list[str] = []
        self.events = 0

    def take(self, concluded: Iterable[Event]) -> list[Event]:
        """Take what was concluded next; give what is not published yet, in order.

        Errors: EnoughDiffer.
        """
        unsaid: list[Event] = []
        for event in concluded:
            _, subject, name, type_, value = event
            if type_ in self._heard:
                if number_of(name) > self._last.get(subject, 0):
                    unsaid.append(event)
                else:
                    self._again.append(name)
            elif is_derived(type_):
                self.events += 1
                digest = digest_of(value)
                if digest in self._left:
                    self._left.discard(digest)
                elif number_of(name) > self._last.get(subject, 0):
                    unsaid.append(event)
                else:
                    self._missed[name] = value
        if len(self._missed) + len(self._again) >= SHOWN:
            raise EnoughDiffer
        return unsaid

    def end(self, published: Iterator[bytes], differences: Differences, *, whole: bool) -> None:
        """Name what differs. `published` is read only then; `whole`: all is folded."""
        for name in self._again:
            differences.add(f"{name} is concluded beside what was told")
        if not self._missed and not (self._left and whole):
            return
        for value in published:
            if not (self._missed or (self._left and whole)):
                return
            head = head_of(value)
            if (concluded := self._missed.pop(head.id, None)) is not None:
                self._left.discard(digest_of(value))
                differences.add(_other_bytes(head.id, value, concluded))
            elif whole and self._left and (digest := digest_of(value)) in self._left:
                self._left.discard(digest)
                if is_derived(head.type) and head.subjectseq <= self._last.get(head.subject, 0):
                    differences.add(f"{head.id} was published, and is not concluded again")
        for name in self._missed:
            differences.add(f"{name} is concluded, and was never published")


def _other_bytes(name: str, published: bytes, concluded: bytes) -> str:
    found = first_difference(published, concluded)
    said = f"{name} is concluded with other bytes than published"
    if found is None:
        return f"{said}: the same content, written otherwise"
    return f"{said}: {found.path} was {found.published}, and is {found.concluded}"


def number_of(name: str) -> int:
    """Give the number in an event's id (`<source>/<subject>@<number>`)."""
    return int(name.rpartition("@")[2])


def is_derived(type_: str) -> bool:
    """Say whether events of a type are concluded, so that they can be concluded again."""
    return type_ in BY_TYPE and not BY_TYPE[type_].TOLD
