"""The sender's surroundings: a database with a queue and a directory, a keyring, a clock."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from services.notifications import domain
from services.notifications.channels.port import Channel
from services.notifications.directory import Directory
from services.notifications.domain import Command, Delivered, Heard
from services.notifications.jobs import Bucket, Job
from services.notifications.notices import Notice
from services.notifications.projections import NOTICES, Planner, row_of
from services.notifications.resolving import KeyringOpener
from services.notifications.sender import Outlet, Sender
from services.notifications.store import SenderStore
from shared.events import notifications as words
from shared.events.attendance import EmployeeRegistered
from shared.events.base import Sealed
from shared.events.notifications import NotificationQueued
from shared.events.sealing import person_kid, place_of, seal
from shared.runtime.storage import table_sets
from tests.kit.keyring import MemoryKeyring

MORNING = datetime(2026, 3, 2, 2, tzinfo=UTC)  # 10:00 in Makassar.


@dataclass
class Desk:
    """Everything that the sender meets, at hand."""

    pool: "asyncpg.Pool[Any]"
    planned: str  # The schema of the planner's tables.
    keyring: MemoryKeyring = field(default_factory=MemoryKeyring)
    now: datetime = MORNING
    settled: list[Command] = field(default_factory=list)
    happened: asyncio.Event = field(default_factory=asyncio.Event)

    async def register(
        self, person: str, name: str | None = None, *, forgotten: bool = False, **contacts: str
    ) -> None:
        """Put a person into the directory, sealed."""
        sealed = {each: await self._sealed(person, text) for each, text in contacts.items()}
        await self.pool.execute(
            "INSERT INTO read.persons VALUES ($1, $2, $3, '53.01', 'Asia/Makassar', $4)",
            person,
            json.dumps((await self._sealed(person, name)).model_dump()) if name else None,
            json.dumps({channel: each.model_dump() for channel, each in sealed.items()}),
            forgotten,
        )

    async def put_head(self, person: str, unit: str, head: str | None) -> None:
        await self.pool.execute("INSERT INTO read.heads VALUES ($1, $2, $3)", person, unit, head)

    async def park(self, person: str, *, parked: bool = True) -> None:
        """Let the planner's records of a person wait, or wait no longer."""
        await self.pool.execute(
            f"INSERT INTO {self.planned}.subjects"  # noqa: S608  (our own name)
            " (subject, partition, version, last_seq, heard, parked)"
            " VALUES ($1, 0, 1, 0, '{}', $2) ON CONFLICT (subject) DO UPDATE SET parked = $2",
            person,
            parked,
        )

    async def queue(self, heard: Heard, *channels: str) -> list[NotificationQueued]:
        """Plan what follows from the news, and write it down as the planner does."""
        planned = [
            told
            for told in domain.decide(heard, domain.INITIAL)
            if isinstance(told, NotificationQueued) and (not channels or told.channel in channels)
        ]
        marks = ", ".join(f"${n}" for n in range(1, len(NOTICES.columns) + 1))
        for told in planned:
            row = row_of(Notice(told), "53.01")
            await self.pool.execute(f"INSERT INTO read.notices VALUES ({marks})", *row)  # noqa: S608  (marks are ours)
        return planned

    async def settle(self, _job: Job, command: Command) -> None:
        """Write an outcome down, where `handle` would."""
        self.settled.append(command)
        delivered = isinstance(command, Delivered)
        await self.pool.execute(
            "UPDATE read.notices SET outcome = $2, attempts = $3 WHERE notification_id = $1",
            command.notification_id,
            "delivered" if delivered else "failed",
            command.attempts,
        )
        self.happened.set()

    def sender(self, **outlets: Outlet | Channel) -> Sender:
        """Give a sender with these channels, unhurried."""
        given: dict[Any, Outlet] = {
            name: each if isinstance(each, Outlet) else Outlet(each, Bucket(1000, 1000))
            for name, each in outlets.items()
        }
        opener = KeyringOpener(self.keyring)
        store = SenderStore(self.pool)
        return Sender(store, opener, given, self.settle, clock=lambda: self.now)

    async def pass_time(self, span: timedelta) -> None:
        self.now += span

    async def _sealed(self, person: str, text: str) -> Sealed:
        kid = person_kid(person)
        key = (await self.keyring.keys_of([kid], create=True))[kid]
        assert key is not None
        return seal(key, kid, place_of(EmployeeRegistered.type_name(), person), text)


async def rounds(sender: Sender, channel: words.Channel) -> None:
    """Let the sender work until nothing moves."""
    while await sender.round(channel):
        pass


@asynccontextmanager
async def desk(database: str) -> AsyncIterator[Desk]:
    """Give an empty desk in a database."""
    async with asyncpg.create_pool(database, min_size=1, max_size=4) as pool:
        async with pool.acquire() as connection:
            planned = await table_sets.ensure(connection, Planner(), 1)
            await table_sets.ensure(connection, Directory(), 1)
        await SenderStore(pool).prepare()
        yield Desk(pool, planned)
