"""The queue of a parked subject: shown, retried in order, discarded with a reason.

A record that cannot be applied parks its subject; later records and broadcasts queue behind it,
so that a dead letter never lets later facts falsify a person's state (kafka.md 9). What is done
with a queue is itself a record of the parked topic.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import asyncpg

from shared.events.envelope import Envelope, canonical
from shared.runtime.decoding import Decoder, Passing, Undecodable, said
from shared.runtime.handling import guarded
from shared.runtime.holding import Entry
from shared.runtime.projection import Contradiction
from shared.runtime.store import PostgresStore
from shared.runtime.topics import parked_of
from shared.runtime.worker import Store
from shared.runtime.writes import Event, Waiting, Writes, caused_by, stamp

DISCARDED = "tertib.runtime.RecordDiscarded.v1"
RETRIED = "tertib.runtime.SubjectRetried.v1"
GAP = "gap"

Heard = Envelope | Undecodable | None


@dataclass(frozen=True)
class Outcome:
    """What a retry did: rows applied, rows that still wait, and why the first of them does."""

    applied: int
    waiting: int
    reason: str | None = None


async def listed(store: PostgresStore, subject: str | None = None) -> list[asyncpg.Record]:
    """Give the rows that wait, oldest first; those of one subject, or of all."""
    rows: list[asyncpg.Record] = await store.pool.fetch(
        'SELECT id, subject, topic, partition, "offset", reference, reason, error, attempts'
        f" FROM {store.schema}.parked WHERE state = 'waiting'"
        " AND ($1::text IS NULL OR subject = $1) ORDER BY id",
        subject,
    )
    return rows


async def shown(store: PostgresStore, row_id: int) -> asyncpg.Record | None:
    """Give one row with its bytes and headers."""
    return await store.pool.fetchrow(f"SELECT * FROM {store.schema}.parked WHERE id = $1", row_id)


async def behind_a_gap(store: PostgresStore, partitions: Sequence[int]) -> list[str]:
    """Name the parked subjects of partitions whose queue begins behind a gap."""
    rows = await store.pool.fetch(
        f"SELECT DISTINCT subject FROM {store.schema}.parked WHERE state = 'waiting'"
        " AND reason = $1 AND partition = ANY($2::int[]) ORDER BY subject",
        GAP,
        list(partitions),
    )
    return [row["subject"] for row in rows]


async def open_gaps(store: PostgresStore) -> int:
    """Count the gaps that nobody has filled for a minute: a number was lost (design 3)."""
    count: int = await store.pool.fetchval(
        f"SELECT count(*) FROM {store.schema}.parked WHERE state = 'waiting' AND reason = $1"
        " AND parked_at < now() - interval '1 minute'",
        GAP,
    )
    return count


async def resume(store: PostgresStore) -> int:
    """Let partitions go on that the brake stopped; give how many. The runner looks by itself."""
    done: str = await store.pool.execute(
        f"UPDATE {store.schema}.cursors SET stopped = NULL WHERE stopped IS NOT NULL"
    )
    return int(done.removeprefix("UPDATE "))


async def discard(store: Store, subject: str, row_id: int, reason: str, actor: str) -> bool:
    """Give up one record for good; False if it does not wait.

    The others still wait for a retry; if there are none, the subject goes on.
    """

    async def once(live: Store) -> bool:
        (entry,) = await live.entries({subject: 0})
        waiting = [row.id for row in await live.queue(subject)]
        if row_id not in waiting:
            return False
        entry.parked = waiting != [row_id]
        writes = Writes(touched=[entry], settled={row_id: "discarded"})
        told = {"subject": subject, "row": row_id, "reason": reason, "actor": actor}
        writes.events.append(_audited(live, subject, DISCARDED, told))
        await live.commit(writes, writes.rows(live.projection))
        return True

    return await guarded(store, once)


async def retry(
    store: Store, subject: str, actor: str, keep: Collection[int] = frozenset()
) -> Outcome:
    """Apply a subject's queue in order, each record with the knowledge that stood before it.

    Stops at the first that still cannot be applied; what was applied before it stays applied.
    Rows to `keep` are not tried (a rebuild: they wait in the live tables).
    """

    async def once(live: Store) -> Outcome:
        (entry,) = await live.entries({subject: 0})
        queue = await live.queue(subject)
        drive = _Redrive(live, entry, [row for row in queue if row.id not in keep])
        stuck = await drive.run()
        if stuck is not None and drive.spoilt:
            # The fold that failed left half of itself in the state: apply again what is good.
            (entry,) = await live.entries({subject: 0})
            drive = _Redrive(live, entry, [row for row in queue if row.id in drive.writes.settled])
            await drive.run()
        writes = drive.writes
        left = [row for row in queue if row.id not in writes.settled]
        entry.parked = bool(left)
        if not entry.version or (queue and not writes.settled and stuck is None):
            return Outcome(0, len(left), GAP)
        if stuck is not None:
            writes.failed[stuck.row.id] = stuck.error
        writes.touched = [entry]
        told = {"subject": subject, "applied": len(writes.settled), "actor": actor}
        writes.events.append(_audited(live, subject, RETRIED, told))
        await live.commit(writes, writes.rows(live.projection))
        reason = stuck.error if stuck is not None else GAP if left else None
        return Outcome(len(writes.settled), len(left), reason)

    return await guarded(store, once)


@dataclass(frozen=True)
class _Stuck:
    row: Waiting
    error: str


class _Redrive:
    """One pass over a queue, in memory. `spoilt`: a fold failed, so that the state is half."""

    def __init__(self, store: Store, entry: Entry, queue: Sequence[Waiting]) -> None:
        self.store = store
        self.entry = entry
        self.left = list(queue)
        self.spoilt = False
        self.writes = Writes()
        self._decode = Decoder(store.projection)
        self._known_to = -1
        self._knowledge: Any = None

    async def run(self) -> _Stuck | None:
        """Apply what can be applied, in the order of the log.

        Behind a gap nothing is applied, be it a broadcast, but the event that fills it: so a queue
        ends the same, however much of it had come when it was looked at. Gives the record that
        cannot be applied; None if all are, or the first waits for one to come.
        """
        while (chosen := await self._next()) is not None:
            row, heard = chosen
            await self._know(row.broadcast if row.reference is None else row.reference)
            error = await self._apply(heard)
            if error is not None:
                return _Stuck(row, error)
            self.left.remove(row)
            self.writes.settled[row.id] = "applied"
        return None

    async def _next(self) -> tuple[Waiting, Heard] | None:
        """Give the first row, or the one that fills the gap before it; None if it has not come."""
        if not self.left:
            return None
        row, *behind = self.left
        heard = await self._heard(row)
        if not isinstance(heard, Envelope) or heard.subjectseq is None:
            return row, heard
        wanted = self.entry.heard.get(heard.source, 0) + 1
        if heard.subjectseq <= wanted:
            return row, heard
        for other in behind:
            if other.reference is None:
                filling = await self._heard(other)
                if (
                    isinstance(filling, Envelope)
                    and (filling.source, filling.subjectseq) == (heard.source, wanted)
                ):  # fmt: skip
                    return other, filling
        return None

    async def _apply(self, heard: Heard) -> str | None:
        """Apply one record; give why it cannot be."""
        if isinstance(heard, Undecodable):
            return f"{heard.reason}: {heard.error}"
        if heard is None:
            return None  # The projection does not hear its kind any more.
        known = self.entry.heard
        if heard.subjectseq is not None and heard.subjectseq <= known.get(heard.source, 0):
            return None
        if heard.subjectseq is not None and heard.source == f"/{self.store.projection.service}":
            self.entry.last_seq = max(self.entry.last_seq, heard.subjectseq)
        try:
            if not isinstance(heard, Passing):
                await self._fold(heard)
        except _Failed as failed:
            self.spoilt = True
            return str(failed)
        if heard.subjectseq is not None:
            known[heard.source] = heard.subjectseq
        return None

    async def _fold(self, heard: Envelope) -> None:
        entry, projection, knowledge = self.entry, self.store.projection, self._knowledge
        knows = getattr(projection, "knows_regency", None)
        with _its_own_failures():
            if heard.broadcastseq is not None:
                if not projection.concerns(entry.state, heard):
                    return
            elif knows is not None and not knows(knowledge, heard.regency):
                raise _Failed(f"unknown_tenant: regency {heard.regency} was never registered")
            load = projection.reach(entry.state, heard, knowledge)
        if load is not None:
            rows = await self.store.older(load, entry.subject)
            with _its_own_failures():
                projection.deepen(entry.state, load, rows)
        with _its_own_failures():
            told = projection.fold(entry.state, heard, knowledge, entry.last_seq)
        cause, source = caused_by(heard), f"/{projection.service}"
        self.writes.events += [stamp(each, source, entry, cause) for each in told]

    async def _heard(self, row: Waiting) -> Heard:
        """Give what a row says."""
        if row.reference is not None:
            (broadcast,) = await self.store.broadcasts(row.reference - 1, row.reference)
            return broadcast
        key = self.entry.subject.encode()
        record = SimpleNamespace(headers=row.headers, value=row.value, key=key)
        return self._decode(record)[0]

    async def _know(self, number: int) -> None:
        """Bring the knowledge to where it stood before a record."""
        if self._known_to < 0 or number < self._known_to:
            self._knowledge = await self.store.knowledge(number)
        else:
            for broadcast in await self.store.broadcasts(self._known_to, number):
                self.store.projection.learn(self._knowledge, broadcast)
        self._known_to = number


class _Failed(Exception):  # noqa: N818  (what the record did)
    """A record cannot be applied: the message says why."""


@contextmanager
def _its_own_failures() -> Iterator[None]:
    """Tell what a projection raises, which parks a record, from what the store raises."""
    try:
        yield
    except _Failed:
        raise
    except Contradiction as error:
        raise _Failed(f"contradiction: {error}") from error
    except Exception as error:
        raise _Failed(f"fold: {said(error)}") from error


def _audited(store: Store, subject: str, type_: str, told: dict[str, Any]) -> Event:
    group = f"{store.projection.name}@{store.projection.version}"
    return parked_of(store.projection.name), subject, f"{group}/{subject}", type_, canonical(told)
