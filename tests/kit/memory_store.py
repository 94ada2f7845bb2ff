"""A store in memory with the promises of PostgreSQL, for tests of what is folded.

It is held to the same suite. Rows are kept by primary key; a projection's loads are answered by
functions, as there is nothing here that reads SQL.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from shared.events.envelope import Envelope
from shared.events.structs import decoder_of
from shared.runtime.limits import Limits
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.brake import Brake
from shared.runtime.processing.halt import Halt, waits_for_operator
from shared.runtime.processing.stamping import Event
from shared.runtime.processing.state import Cursor, Partition, SubjectState
from shared.runtime.processing.store_port import BroadcastContradictionError, WriteConflictError
from shared.runtime.processing.write_batch import Guard, Parked, ParkedRow, WriteBatch
from shared.runtime.projection import Changes, Load, Projection, Row

Tables = Mapping[str, Mapping[Row, Row]]
Answer = Callable[[Tables, str], Sequence[Row]]  # The rows of a load, of one subject.


@dataclass
class Kept:
    """Everything that is stored; copied and put back whole, as a transaction is."""

    cursors: dict[TopicPartition, Cursor] = field(default_factory=dict)
    subjects: dict[str, SubjectState] = field(default_factory=dict)  # Without states.
    broadcasts: dict[int, tuple[str, str, bytes]] = field(default_factory=dict)
    tables: dict[str, dict[Row, Row]] = field(default_factory=dict)
    parked: list[tuple[Parked, str]] = field(default_factory=list)  # With the state of the row.
    events: list[Event] = field(default_factory=list)


class MemoryStore:
    """One table set of one projection, with first cursors for each of its partitions."""

    def __init__(
        self,
        projection: Projection[Any, Any],
        answers: Mapping[str, Answer],
        partitions: int,
    ) -> None:
        self.projection = projection
        self._answers = answers
        self._keys = {
            table.name: [list(table.columns).index(column) for column in table.primary_key]
            for table in projection.tables
        }
        places = [(topic, number) for topic in projection.topics for number in range(partitions)]
        self.kept = Kept(
            cursors={place: Cursor(*place, 0, "", 0, 0) for place in places},
            tables={name: {} for name in self._keys},
        )
        self._decoders = {kind.type_name(): decoder_of(kind) for kind in projection.hears}

    async def live(self) -> "MemoryStore":
        """Give the store that is live: there is one."""
        return self

    async def claim(self, places: Iterable[TopicPartition], owner: str) -> list[Cursor]:
        """Claim partitions: their epoch grows, so the member before can no longer write."""
        del owner  # Nobody looks.
        for place in places:
            if (cursor := self.kept.cursors.get(place)) is not None:
                stops = cursor.stopped
                stays = stops if stops is not None and waits_for_operator(stops.kind) else None
                self.kept.cursors[place] = cursor._replace(epoch=cursor.epoch + 1, stopped=stays)
        return await self.cursors(places)

    async def cursors(self, places: Iterable[TopicPartition]) -> list[Cursor]:
        """Read cursors; a partition that was never bootstrapped is missing."""
        return [self.kept.cursors[place] for place in places if place in self.kept.cursors]

    async def partitions(self, cursors: Sequence[Cursor], limits: Limits) -> list[Partition]:
        """Build what claimed partitions know: knowledge, and names."""
        return [
            Partition(
                cursor.topic,
                cursor.partition,
                cursor.next_offset,
                cursor.last_subject,
                cursor.broadcast,
                cursor.epoch,
                await self.knowledge(cursor.broadcast),
                sorted(
                    name
                    for name, entry in self.kept.subjects.items()
                    if entry.partition == cursor.partition
                ),
                Brake(limits),
                cursor.tail,
            )
            for cursor in cursors
        ]

    async def stop(self, cursor: Cursor, halt: Halt | None) -> None:
        """Say in the cursor's row why a partition stands still; None: it goes on."""
        place = cursor.topic, cursor.partition
        if self.kept.cursors[place].epoch == cursor.epoch:
            self.kept.cursors[place] = self.kept.cursors[place]._replace(stopped=halt)

    async def knowledge(self, number: int) -> Any:
        """Give the knowledge as of a broadcast's number."""
        knowledge = self.projection.knowledge()
        for broadcast in await self.broadcasts(0, number):
            self.projection.learn(knowledge, broadcast)
        return knowledge

    async def broadcasts(self, after: int, last: int) -> list[Envelope]:
        """Give the broadcasts numbered after one number, up to another."""
        return [
            self._decoders[type_].decode(value)
            for number, (_, type_, value) in sorted(self.kept.broadcasts.items())
            if after < number <= last
        ]

    async def entries(self, subjects: Mapping[str, int]) -> list[SubjectState]:
        """Read subjects (to their partitions) with their states; those without a row are new."""
        found = []
        for subject, partition in subjects.items():
            known = self.kept.subjects.get(subject)
            entry = (
                deepcopy(known) if known is not None else SubjectState(subject, partition, None)
            )
            rows = {
                name: answer(self.kept.tables, subject)
                for name, answer in self._answers.items()
                if known is not None
            }
            entry.state = self.projection.restore(subject, rows)
            found.append(entry)
        return found

    async def older(self, load: Load, subject: str) -> list[Row]:
        """Read the rows that one subject's fold asks for."""
        return list(self._answers[load.name](self.kept.tables, subject))

    async def queue(self, subject: str) -> list[ParkedRow]:
        """Give what waits of a parked subject, in the order of the log."""
        return [
            ParkedRow(number, p.value, p.headers, p.broadcast, p.reference, p.reason, *p[1:4])
            for number, (p, state) in enumerate(self.kept.parked)
            if p.subject == subject and state == "waiting"
        ]

    async def commit(self, writes: WriteBatch, rows: Mapping[str, Changes]) -> None:
        """Write everything or nothing. Errors: WriteConflictError, BroadcastContradictionError."""
        before = deepcopy(self.kept)
        try:
            self._move(writes)
            self._guard(writes.guards)
            self._write_rows(rows)
            self._learn(writes)
            for number, state in writes.settled.items():
                self.kept.parked[number] = self.kept.parked[number][0], state
            self.kept.parked += [(parked, "waiting") for parked in writes.parked]
            self.kept.events += writes.events
        except BaseException:
            self.kept = before
            raise

    def _move(self, writes: WriteBatch) -> None:
        for place, to in writes.cursors.items():
            now, base = self.kept.cursors[place], writes.bases[place]
            if (now.epoch, now[2], now[3]) != (to.epoch, base[2], base[3]):
                raise WriteConflictError(f"the cursor of {place}")
            self.kept.cursors[place] = to._replace(stopped=now.stopped)

    def _learn(self, writes: WriteBatch) -> None:
        for number, said in writes.broadcasts.items():
            if self.kept.broadcasts.setdefault(number, said)[2] != said[2]:
                raise BroadcastContradictionError(
                    number, f"broadcast {number} has other bytes in another partition"
                )
            for first, (id_, _, _) in sorted(self.kept.broadcasts.items()):
                if first < number and id_ == said[0]:
                    raise BroadcastContradictionError(
                        number, f"broadcasts {first} and {number} have one id: {id_}"
                    )

    def _guard(self, guards: Iterable[Guard]) -> None:
        for subject, partition, last_seq, heard, parked, version in guards:
            known = self.kept.subjects.get(subject)
            if (known.version if known else 0) != version:
                raise WriteConflictError(f"the row of {subject}")
            self.kept.subjects[subject] = SubjectState(
                subject, partition, None, version + 1, last_seq, json.loads(heard), parked
            )

    def _write_rows(self, rows: Mapping[str, Changes]) -> None:
        for table, changes in rows.items():
            for row in (*changes.inserts, *changes.upserts):
                self.kept.tables[table][tuple(row[at] for at in self._keys[table])] = row
