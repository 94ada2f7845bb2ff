"""What one transaction writes, gathered while records are folded."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from shared.events.base import Fact, Told
from shared.events.envelope import Envelope, canonical_event, event_id
from shared.runtime.holding import Cursor, Entry, Place
from shared.runtime.projection import Changes, Projection

Event = tuple[str, str, str, str, bytes]  # Topic, key, id, type, the canonical bytes.


class Parked(NamedTuple):
    """A row of the parking place. `reference`: the number of a broadcast, instead of a value.

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


class Waiting(NamedTuple):
    """A row of the parking place that waits."""

    id: int
    value: bytes | None
    headers: list[tuple[str, bytes]]
    broadcast: int
    reference: int | None
    reason: str


@dataclass
class Writes:
    """Everything that one transaction writes. `work` counts subjects touched.

    `learned`: where the first record of a broadcast stands; `guards`: what `rows` found;
    `settled`: what becomes of parked rows (applied, discarded); `failed`: why one still waits.
    """

    bases: dict[Place, Cursor] = field(default_factory=dict)
    cursors: dict[Place, Cursor] = field(default_factory=dict)
    touched: list[Entry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    broadcasts: dict[int, tuple[str, str, bytes]] = field(default_factory=dict)
    learned: dict[int, tuple[Place, int]] = field(default_factory=dict)
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


def source_of(projection: Projection[Any, Any]) -> str:
    """Give the `source` of what a projection tells: its service."""
    return f"/{projection.service}"


class Times(NamedTuple):
    """What an event takes over from its cause; times are ISO 8601 with offset."""

    time: str
    recordedtime: str
    causationid: str | None = None
    correlationid: str | None = None
    actor: str | None = None


def caused_by(heard: Envelope) -> Times:
    """Give what a derived event takes over: no clock of its own (design 3)."""
    when = heard.recordedtime
    return Times(when, when, heard.id, heard.correlationid or heard.id)


@cache
def _words_of(kind: type[Fact]) -> tuple[str, str]:
    return kind.TOPIC, kind.type_name()


def stamp(told: Told, source: str, entry: Entry, cause: Times) -> Event:
    """Give the next event of a subject its number and its envelope."""
    number = entry.last_seq = entry.last_seq + 1
    subject, (time, recorded, causation, correlation, actor) = entry.subject, cause
    id_ = event_id(source, subject, number)
    topic, type_ = _words_of(told.kind)
    value = canonical_event(
        Envelope(
            actor=actor,
            causationid=causation,
            correlationid=correlation or causation,
            data=told.data,
            id=id_,
            recordedtime=recorded,
            regency=told.regency,
            source=source,
            subject=subject,
            subjectseq=number,
            time=time,
            type=type_,
        )
    )
    return topic, subject, id_, type_, value


def tail_of(record: Any) -> bytes:
    """Give the hash by which a record is known again."""
    return hashlib.sha256((record.key or b"") + b"\0" + (record.value or b"")).digest()[:8]
