"""What one transaction writes, gathered while records are folded."""

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shared.runtime.positions import TopicPartition
from shared.runtime.processing.stamping import Event
from shared.runtime.processing.state import Cursor, SubjectState
from shared.runtime.projection import Changes, Projection


class Parked(NamedTuple):
    """A row of the table of parked records. `reference`: a broadcast's number, without a value.

    `broadcast` is the number that stands before the record on the log.
    """

    subject: str
    topic: str
    partition: int
    offset: int
    value: bytes | None
    headers: list[tuple[str, bytes]]
    broadcast: int
    reference: int | None
    reason: str
    error: str


class Guard(NamedTuple):
    """The row of a subject, to be written where it still has `version`; 0: it has none."""

    subject: str
    partition: int
    last_seq: int
    heard: str
    parked: bool
    version: int


class ParkedRow(NamedTuple):
    """A row of the parking place that waits; its record stands at `topic`/`partition`/`offset`."""

    id: int
    value: bytes | None
    headers: list[tuple[str, bytes]]
    broadcast: int
    reference: int | None
    reason: str
    topic: str
    partition: int
    offset: int

    @property
    def place(self) -> tuple[str, int, int]:
        """Say where its record stands on the log: what outlives this database."""
        return self.topic, self.partition, self.offset


@dataclass
class WriteBatch:
    """Everything that one transaction writes. `work` counts subjects touched.

    `learned`: where the first record of a broadcast stands; `guards`: what `rows` found;
    `settled`: what becomes of parked rows (applied, discarded); `failed`: why one still waits.
    """

    bases: dict[TopicPartition, Cursor] = field(default_factory=dict)
    cursors: dict[TopicPartition, Cursor] = field(default_factory=dict)
    touched: list[SubjectState] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    broadcasts: dict[int, tuple[str, str, bytes]] = field(default_factory=dict)
    learned: dict[int, tuple[TopicPartition, int]] = field(default_factory=dict)
    guards: list[Guard] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    settled: dict[int, str] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)  # Parked subjects a gap of which was filled.
    work: int = 0
    records: int = 0
    ignored: int = 0

    def rows(self, projection: Projection[Any, Any]) -> dict[str, Changes]:
        """Drain the rows of every touched subject: by table, and `guards`.

        From then on the states may be folded further. Each subject has its next version.
        """
        tables: dict[str, Changes] = {}
        for entry in self.touched:
            self.guards.append(
                Guard(
                    entry.subject,
                    entry.partition,
                    entry.last_seq,
                    json.dumps(entry.heard) if entry.heard else "{}",
                    entry.parked,
                    entry.version,
                )
            )
            entry.version += 1
            entry.touched = False
            for name, changes in projection.changes(entry.state):
                found = tables.get(name)
                if found is None:
                    found = tables[name] = Changes()
                found.inserts += changes.inserts
                found.upserts += changes.upserts
        return tables
