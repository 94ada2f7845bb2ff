"""The fence: compares records with the cursors, so that none is skipped or applied twice.

It remembers this member's own seeks (kafka.md 5). A rule that remembers the last delivered record
instead would never get past the first legal gap of a log.
"""

import time
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Any

from shared.runtime.kafka.records import tail_of
from shared.runtime.observability import correlation
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.state import Cursor, Partition

_PLACE_OF = attrgetter("topic", "partition")


def by_partition(records: Iterable[Any]) -> dict[TopicPartition, list[Any]]:
    """Give the records of a batch by partition, in their order."""
    found: dict[TopicPartition, list[Any]] = {}
    for place, some in groupby(records, _PLACE_OF):  # They come partition by partition.
        found.setdefault(place, []).extend(some)
    return found


class BatchLostError(Exception):
    """A batch was lost before these records: seek the cursor, and take none of them."""


class LogReplacedError(Exception):
    """The record before the cursor is not the one that was applied: the partition must halt."""


class OffsetFence:
    """Checks the records of the partitions that this member holds."""

    def __init__(self) -> None:
        self._jumped: dict[
            TopicPartition, tuple[int, int]
        ] = {}  # Cursor and first offset, when we sought.
        self._unverified: set[TopicPartition] = set()
        self._newest: dict[
            TopicPartition, Any
        ] = {}  # The last record that came, until it is written.

    def expect_known(self, place: TopicPartition) -> None:
        """Expect the record before the cursor first, to check that it is the same log."""
        self._unverified.add(place)

    def forget(self, place: TopicPartition) -> None:
        """Drop everything that is remembered of a partition."""
        self._jumped.pop(place, None)
        self._unverified.discard(place)
        self._newest.pop(place, None)

    def fresh(self, part: Partition, records: list[Any]) -> list[Any]:
        """Give the records at the cursor and behind it.

        Errors: BatchLostError, LogReplacedError.
        """
        place, first = part.place, records[0].offset
        if first > part.next_offset:
            jump = part.next_offset, first
            if self._jumped.get(place) != jump:
                self._jumped[place] = jump
                raise BatchLostError
            # After the seek the same record came again: a legal gap of the log.
        if place in self._unverified:
            self._unverified.discard(place)
            if first == part.next_offset - 1 and tail_of(records[0]) != part.tail:
                raise LogReplacedError
        self._newest[place] = records[-1]
        if first >= part.next_offset:
            return records
        return [record for record in records if record.offset >= part.next_offset]

    def age_of(self, place: TopicPartition, written: Cursor) -> float | None:
        """Give the age of the newest record when it is written, in seconds by `recordedtime`.

        None while it is not written yet, or if it has no time.
        """
        newest = self._newest.get(place)
        if newest is None or newest.offset >= written.next_offset:
            return None
        del self._newest[place]
        told = correlation.told_at(newest.value)
        return None if told is None else max(0.0, time.time() - told.timestamp())
