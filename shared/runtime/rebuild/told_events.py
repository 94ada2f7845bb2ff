"""Puts told events into their place in a subject's stream (design 6).

Derived events follow from facts, and can be concluded again. A told event exists only on the
service's own topic, among the derived events of the same subject: its place is behind the fact
from which the last of these followed.
"""

from collections.abc import Iterable, Sequence

from shared.runtime.kafka.records import Record, head_of, id_of


class ToldEvents:
    """Where the told events of one partition stand among the facts that are heard.

    `published` is the partition of the own topic from its beginning; `told` are the types to be
    folded as given. Repetitions on the wire are passed over.
    """

    def __init__(self, published: Iterable[Record], told: frozenset[str]) -> None:
        self._behind: dict[str, list[Record]] = {}  # By the id of a fact.
        self._before: dict[str, list[Record]] = {}
        causes: dict[str, str] = {}
        numbers: dict[str, int] = {}
        first: dict[str, list[Record]] = {}  # Told before anything was concluded.
        for record in published:
            head = head_of(record.value)
            if head.subjectseq <= numbers.get(head.subject, 0):
                continue
            numbers[head.subject] = head.subjectseq
            if head.type not in told:
                causes[head.subject] = head.causationid
                self._before.setdefault(head.causationid, []).extend(first.pop(head.subject, ()))
            elif head.subject in causes:
                self._behind.setdefault(causes[head.subject], []).append(record)
            else:
                first.setdefault(head.subject, []).append(record)
        self._rest = [record for records in first.values() for record in records]

    def weave(self, heard: Iterable[Record]) -> list[Record]:
        """Give facts in log order with the told events where they were told."""
        if not self._behind and not self._before:
            return list(heard)
        woven: list[Record] = []
        for record in heard:
            name = id_of(record)
            woven += self._before.pop(name, ())
            woven.append(record)
            woven += self._behind.pop(name, ())
        return woven

    def rest(self) -> Sequence[Record]:
        """Give the told events that are left after all facts, in the order of the own topic."""
        left = [*self._rest, *(r for rs in self._before.values() for r in rs)]
        left += [record for records in self._behind.values() for record in records]
        return sorted(left, key=lambda record: record.offset)
