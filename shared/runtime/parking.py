"""The queue of a parked subject: shown, retried in order, discarded with a reason.

A record that cannot be applied parks its subject; later records and broadcasts queue behind it, so
that a dead letter never lets later facts falsify a person's state (kafka.md 9).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import asyncpg

from shared.events.envelope import Envelope, canonical
from shared.runtime.batch import Entry, Writes, stamp
from shared.runtime.decoding import Decoder, Undecodable
from shared.runtime.handling import guarded
from shared.runtime.store import Store, parked_topic

DISCARDED = "tertib.runtime.RecordDiscarded.v1"
RETRIED = "tertib.runtime.SubjectRetried.v1"


@dataclass(frozen=True)
class Outcome:
    """What a retry did: rows applied, and those that still wait with the reason of the first."""

    applied: int
    waiting: int
    reason: str | None


async def listed(store: Store, subject: str | None = None) -> list[asyncpg.Record]:
    """Give the rows that wait, oldest first."""
    rows: list[asyncpg.Record] = await store.pool.fetch(
        'SELECT id, subject, topic, partition, "offset", reference, reason, error, attempts'
        f" FROM {store.schema}.parked WHERE state = 'waiting'"
        " AND ($1::text IS NULL OR subject = $1) ORDER BY id",
        subject,
    )
    return rows


async def shown(store: Store, row_id: int) -> asyncpg.Record | None:
    """Give one row with its bytes and headers."""
    return await store.pool.fetchrow(
        f"SELECT * FROM {store.schema}.parked WHERE id = $1", row_id
    )


async def discard(store: Store, row_id: int, reason: str, actor: str) -> bool:
    """Give up one record for good; False if it does not wait. The subject stays parked."""

    async def once(connection: asyncpg.Connection) -> bool:
        row = await connection.fetchrow(
            f"UPDATE {store.schema}.parked SET state = 'discarded' WHERE id = $1"
            " AND state = 'waiting' RETURNING subject, topic, partition, \"offset\"",
            row_id,
        )
        if row is None:
            return False
        said = {**dict(row), "reason": reason, "actor": actor}
        await store.append(connection, [_audited(store, row["subject"], DISCARDED, said)])
        return True

    return await guarded(store, once)


async def retry(store: Store, subject: str, actor: str) -> Outcome:
    """Apply a subject's queue in order, each record with the knowledge that stood before it.

    Stops at the first that still cannot be applied; what was applied before it stays applied.
    """

    async def once(connection: asyncpg.Connection) -> Outcome:
        (entry,) = await store.entries_in(connection, [subject], 0)
        rows = await connection.fetch(
            f"SELECT * FROM {store.schema}.parked WHERE subject = $1 AND state = 'waiting'"
            " ORDER BY id",
            subject,
        )
        drive = _Redrive(store, entry, rows)
        await drive.run()
        entry.parked = bool(drive.left)
        writes = drive.writes
        writes.touched = [entry]
        if drive.done or drive.failed:
            await _mark(store, connection, drive)
            said = {"subject": subject, "applied": len(drive.done), "actor": actor}
            writes.events.append(_audited(store, subject, RETRIED, said))
        await store.write(connection, writes, writes.rows(store.projection))
        return Outcome(len(drive.done), len(drive.left), drive.error)

    return await guarded(store, once)


class _Redrive:
    """One pass over a queue, in memory."""

    def __init__(self, store: Store, entry: Entry, rows: Sequence[asyncpg.Record]) -> None:
        self.store = store
        self.entry = entry
        self.left = list(rows)
        self.done: list[int] = []
        self.failed: int | None = None
        self.error: str | None = None
        self.writes = Writes()
        self._decode = Decoder(store.projection.hears)
        self._known_to = -1
        self._knowledge: Any = None

    async def run(self) -> None:
        """Apply what can be applied: events by subjectseq, the rest in the order of the log."""
        while self.left:
            for row in self.left:
                if await self._apply(row):
                    self.left.remove(row)
                    self.done.append(row["id"])
                    self.error = None
                    break
                if self.error is not None:
                    self.failed = row["id"]
                    return
            else:
                self.error = "gap"
                return

    async def _apply(self, row: asyncpg.Record) -> bool:
        """Apply one row; False if it must wait: behind a gap, or because it fails (`error`)."""
        heard = await self._heard(row)
        if isinstance(heard, Undecodable):
            self.error = f"{heard.reason}: {heard.error}"
            return False
        if heard is None:
            return True
        entry, projection = self.entry, self.store.projection
        if heard.subjectseq is not None:
            last = entry.heard.get(heard.source, 0)
            if heard.subjectseq > last + 1:
                return False
            if heard.subjectseq <= last:
                return True
        broadcast = heard.broadcastseq is not None
        if broadcast and not projection.concerns(entry.state, heard):
            return True
        knows = getattr(projection, "knows_regency", None)
        if not broadcast and knows is not None and not knows(self._knowledge, heard.regency):
            self.error = f"unknown_tenant: regency {heard.regency} was never registered"
            return False
        return await self._fold(heard)

    async def _fold(self, heard: Envelope) -> bool:
        entry, projection = self.entry, self.store.projection
        older = projection.reach(entry.state, heard, self._knowledge)
        if older is not None:
            rows = await self.store.older(older, entry.subject)
            projection.deepen(entry.state, older, rows)
        try:
            told = projection.fold(entry.state, heard, self._knowledge, entry.last_seq)
        except Exception as error:  # noqa: BLE001  (whatever it is, the record waits)
            self.error = f"{type(error).__name__}: {error}"
            return False
        for event in told:
            entry.last_seq += 1
            self.writes.events.append(
                stamp(event, f"/{projection.service}", entry, heard)
            )
        if heard.subjectseq is not None:
            entry.heard[heard.source] = heard.subjectseq
        return True

    async def _heard(self, row: asyncpg.Record) -> Envelope | Undecodable | None:
        """Give what a row says, and bring the knowledge to where it stood before it."""
        if row["reference"] is not None:
            await self._know(row["reference"])
            (broadcast,) = await self.store.broadcasts(row["reference"] - 1, row["reference"])
            return broadcast
        await self._know(row["broadcast"])
        headers = [(name, value.encode("latin-1")) for name, value in json.loads(row["headers"])]
        return self._decode(SimpleNamespace(headers=headers, value=row["value"]))

    async def _know(self, number: int) -> None:
        if self._known_to < 0 or number < self._known_to:
            self._knowledge = await self.store.knowledge(number)
        else:
            for broadcast in await self.store.broadcasts(self._known_to, number):
                self.store.projection.learn(self._knowledge, broadcast)
        self._known_to = number


async def _mark(store: Store, connection: asyncpg.Connection, drive: _Redrive) -> None:
    await connection.execute(
        f"UPDATE {store.schema}.parked SET state = 'applied' WHERE id = ANY($1)", drive.done
    )
    if drive.failed is not None:
        await connection.execute(
            f"UPDATE {store.schema}.parked SET attempts = attempts + 1, error = $2 WHERE id = $1",
            drive.failed,
            drive.error,
        )


def _audited(
    store: Store, subject: str, type_: str, said: dict[str, Any]
) -> tuple[str, str, str, str, bytes]:
    group = f"{store.projection.name}@{store.projection.version}"
    return parked_topic(store.projection), subject, f"{group}/{subject}", type_, canonical(said)
