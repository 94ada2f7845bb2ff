"""The in-app inbox: a table that the person reads.

Only the template and its details are stored; the text is made when it is read, so that no name is
in the database.
"""

import json
from dataclasses import dataclass
from typing import Any

import asyncpg

from services.notifications.channels.port import Delivery, Message, Taken


@dataclass(frozen=True)
class Entry:
    """One entry of an inbox, to be rendered by `rendering.render`."""

    notification_id: str
    employee_id: str
    about_event_id: str
    template: str
    details: dict[str, str]


class Inbox:
    """Puts notices into the table. A repeat finds its primary key taken, and changes nothing."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def deliver(self, message: Message, /) -> Delivery:
        """Store it. Errors: those of the database; they do not count as a refusal."""
        job = message.job
        await self._pool.execute(
            "INSERT INTO notifications.inbox (notification_id, person_id, employee_id,"
            " about_event_id, template, details) VALUES ($1, $2, $3, $4, $5, $6)"
            " ON CONFLICT (notification_id) DO NOTHING",
            job.notification_id,
            message.person_id,
            job.employee_id,
            job.about_event_id,
            job.template,
            json.dumps(job.details, sort_keys=True),
        )
        return Taken()

    async def entries(self, person_id: str, limit: int = 200) -> list[Entry]:
        """Give a person's latest entries, newest first."""
        rows = await self._pool.fetch(
            "SELECT notification_id, employee_id, about_event_id, template, details"
            " FROM notifications.inbox WHERE person_id = $1"
            " ORDER BY arrived_at DESC, notification_id LIMIT $2",
            person_id,
            limit,
        )
        return [Entry(row[0], row[1], row[2], row[3], json.loads(row["details"])) for row in rows]
