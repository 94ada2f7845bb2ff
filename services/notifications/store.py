"""The sender's database access: the queue, the directory, and its own tables.

Its own tables (tries, and the inboxes) are outside the table sets, because a rebuild must not lose
them. Each statement is a transaction of its own.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg

from services.notifications.jobs import Job
from services.notifications.projections import Planner
from shared.events.base import Sealed
from shared.events.notifications import Channel
from shared.runtime.storage.read import live_tables

_OWN = """
SELECT pg_advisory_xact_lock(hashtext('notifications.prepare'));
CREATE SCHEMA IF NOT EXISTS notifications;
CREATE TABLE IF NOT EXISTS notifications.sending (
    notification_id text PRIMARY KEY,
    tries integer NOT NULL DEFAULT 0,
    first_seen_at timestamptz NOT NULL,
    not_before timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS notifications.inbox (
    notification_id text PRIMARY KEY,
    person_id text NOT NULL,
    employee_id text NOT NULL,
    about_event_id text NOT NULL,
    template text NOT NULL,
    details text NOT NULL,
    arrived_at timestamptz NOT NULL DEFAULT now(),
    read_at timestamptz
);
CREATE INDEX IF NOT EXISTS inbox_of_a_person ON notifications.inbox (person_id, arrived_at);
"""

_DUE = """
SELECT n.subject AS employee_id, n.notification_id, n.recipient_id, n.role, n.channel,
       n.template, n.details, n.about_event_id, n.regency, coalesce(s.tries, 0) AS tries,
       coalesce(s.first_seen_at, $1) AS first_seen_at
FROM read.notices n LEFT JOIN notifications.sending s USING (notification_id)
WHERE n.outcome = 'queued' AND n.channel = $2 AND (s.not_before IS NULL OR s.not_before <= $1)
ORDER BY coalesce(s.not_before, '-infinity'), n.notification_id
LIMIT $3
"""

_BEGIN = """
INSERT INTO notifications.sending AS s (notification_id, tries, first_seen_at, not_before)
VALUES ($1, 1, $2, $3)
ON CONFLICT (notification_id) DO UPDATE SET tries = s.tries + 1, not_before = $3
WHERE s.not_before <= $2
RETURNING tries
"""

_POSTPONE = """
INSERT INTO notifications.sending (notification_id, first_seen_at, not_before)
VALUES ($1, $2, $3)
ON CONFLICT (notification_id) DO UPDATE SET not_before = $3
"""

_ENTRY = "SELECT name, contacts, timezone, forgotten FROM read.persons WHERE subject = $1"

_SUPERIOR_TOLD = """
SELECT EXISTS (
    SELECT FROM read.notices WHERE subject = $1 AND about_event_id = $2 AND channel = $3
    AND role = 'superior' AND recipient_id = $4)
"""


@dataclass(frozen=True)
class Entry:
    """What the directory holds of a person, still sealed."""

    name: Sealed | None
    contacts: dict[str, Sealed]
    timezone: str | None
    forgotten: bool


class SenderStore:
    """The sender's statements. Errors: those of asyncpg, of every method."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._planner = Planner()

    async def prepare(self) -> None:
        """Make the sender's own tables, once."""
        await self._pool.execute(_OWN)

    async def due(self, channel: Channel, now: datetime, limit: int) -> Sequence[Job]:
        """Give queued notices of a channel whose time has come, the longest waiting first."""
        rows = await self._pool.fetch(_DUE, now, channel, limit)
        return [Job(**{**row, "details": json.loads(row["details"])}) for row in rows]

    async def parked(self, people: Collection[str]) -> Collection[str]:
        """Name those of these people for whom records of the planner wait in a queue."""
        async with (
            self._pool.acquire() as connection,
            live_tables(connection, self._planner) as tables,
        ):
            return await tables.parked_among(people) if tables is not None else ()

    async def begin(self, job: Job, now: datetime, lease_until: datetime) -> int | None:
        """Count a try and reserve the notice until then; None: another sender has it.

        Units: the result is the number of this try, from 1.
        """
        tries: int | None = await self._pool.fetchval(
            _BEGIN, job.notification_id, now, lease_until
        )
        return tries

    async def postpone(self, job: Job, until: datetime) -> None:
        """Look at the notice again later, without counting a try."""
        await self._pool.execute(_POSTPONE, job.notification_id, job.first_seen_at, until)

    async def entry(self, person_id: str) -> Entry | None:
        """Give the directory's entry; None: it does not know the person (yet)."""
        row = await self._pool.fetchrow(_ENTRY, person_id)
        if row is None:
            return None
        contacts = {name: Sealed(**each) for name, each in json.loads(row["contacts"]).items()}
        name = Sealed(**json.loads(row["name"])) if row["name"] else None
        return Entry(name, contacts, row["timezone"], row["forgotten"])

    async def head(self, employee_id: str, unit_id: str) -> str | Literal[False] | None:
        """Name who heads a unit of this person; False: nobody does; None: not known (yet)."""
        row = await self._pool.fetchrow(
            "SELECT head_id FROM read.heads WHERE subject = $1 AND unit_id = $2",
            employee_id,
            unit_id,
        )
        return None if row is None else row["head_id"] or False

    async def superior_is_told(self, job: Job, person_id: str) -> bool:
        """Say whether this person gets the same news by the same channel as the superior."""
        told: bool = await self._pool.fetchval(
            _SUPERIOR_TOLD, job.employee_id, job.about_event_id, job.channel, person_id
        )
        return told
