"""Reads the queues of parked subjects from their topic: parked, discarded, applied by a retry.

After a database was lost, the topic alone knows which records an operator discarded.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from shared.events.envelope import TYPE_HEADER
from shared.runtime.kafka.records import Record
from shared.runtime.parking.queue import DISCARDED, RETRIED
from shared.runtime.processing.dead_letters import PARKED
from shared.runtime.processing.decoder import text_of


class Coordinates(NamedTuple):
    """Where a record stands on the log."""

    topic: str
    partition: int
    offset: int


class QueuedRow(NamedTuple):
    """A row of a queue in a rebuild; `reference`: it is a broadcast, by its number."""

    id: int
    place: Coordinates
    reference: int | None


@dataclass
class Queue:
    """What was told of one subject's queue. `stuck`: what the last retry could not apply."""

    parked: set[Coordinates] = field(default_factory=set)
    discarded: set[Coordinates] = field(default_factory=set)
    applied: set[Coordinates] = field(default_factory=set)
    stuck: Coordinates | None = None

    def waiting(self, rows: Sequence[QueuedRow]) -> list[int]:
        """Name those rows of a rebuilt queue that still waited, in order.

        A broadcast is told of only when it is applied: one behind a record that waits waits too.
        """
        settled = self.discarded | self.applied
        waits = self.parked - settled
        if self.stuck is not None and self.stuck not in settled:
            waits.add(self.stuck)
        begun, found = False, []
        for row in rows:
            begun = begun or row.place in waits
            if row.place in waits or (begun and row.reference and row.place not in settled):
                found.append(row.id)
        return found


class _Discarded(msgspec.Struct):
    """Of records told before 1.1 the place is missing: they wait again."""

    topic: str = ""
    partition: int = 0
    offset: int = -1


class _Retried(msgspec.Struct):
    rows: Sequence[tuple[str, int, int]] = ()
    stuck: tuple[str, int, int] | None = None


_discarded = msgspec.json.Decoder(_Discarded).decode
_retried = msgspec.json.Decoder(_Retried).decode
_PLACE = ("parked_topic", "parked_partition", "parked_offset")


def queues_of(told: Iterable[Record]) -> Mapping[str, Queue]:
    """Give the queues of a parked topic's partition, by subject. Repetitions change nothing."""
    found: dict[str, Queue] = {}
    for record in told:
        headers = dict(record.headers)
        queue = found.setdefault(text_of(record.key or b""), Queue())
        kind = headers.get(TYPE_HEADER, b"").decode("utf-8", "replace")
        if kind == PARKED:
            topic, partition, offset = (headers[name].decode() for name in _PLACE)
            queue.parked.add(Coordinates(topic, int(partition), int(offset)))
        elif kind == DISCARDED:
            gone = _discarded(record.value)
            queue.discarded.add(Coordinates(gone.topic, gone.partition, gone.offset))
        elif kind == RETRIED:
            retried = _retried(record.value)
            queue.applied |= {Coordinates(*place) for place in retried.rows}
            queue.stuck = None if retried.stuck is None else Coordinates(*retried.stuck)
    return found
