"""What a service's database holds once: outboxes, list of table sets, room for the months."""

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = asyncpg.Connection


@dataclass(frozen=True)
class OutboxTable:
    """One outbox and all that goes by its name: rows that a relay publishes as they committed.

    `name`, `cursor`: tables in the schema `tertib`; the second holds how far it is published.
    `channel` is notified by writers at their commit, `sent_channel` by the relay when it has moved
    the cursor. `lock`: the advisory lock of the one relay that works. `to_all`: a row without a
    key is a broadcast, for every partition.
    """

    name: str
    cursor: str
    channel: str
    lock: str
    sent_channel: str | None = None
    to_all: bool = False


EVENTS = OutboxTable("events", "relay_cursor", "tertib_events", "tertib.relay")
FACTS = OutboxTable(
    "facts",
    "facts_relay_cursor",
    "tertib_facts",
    "tertib.facts_relay",
    sent_channel="tertib_facts_sent",
    to_all=True,
)

_ONCE = """
CREATE SCHEMA IF NOT EXISTS tertib;
CREATE SCHEMA IF NOT EXISTS read;
CREATE TABLE IF NOT EXISTS tertib.table_set (
    projection text NOT NULL,
    version integer NOT NULL,
    schema text PRIMARY KEY,
    live boolean NOT NULL,
    made_for text  -- What it was made for (`fingerprint`); null: it is older than this column.
);
CREATE UNIQUE INDEX IF NOT EXISTS one_live_set ON tertib.table_set (projection) WHERE live;
"""
_OUTBOX = """
CREATE TABLE IF NOT EXISTS tertib.{name} (
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id bigint GENERATED ALWAYS AS IDENTITY,
    recorded_on date NOT NULL DEFAULT CURRENT_DATE,
    topic text NOT NULL,
    key text {null},
    event_id text NOT NULL,
    type text NOT NULL,
    payload bytea NOT NULL,
    headers text,
    PRIMARY KEY (xid, id, recorded_on)
) PARTITION BY RANGE (recorded_on);
"""


async def prepare(connection: Connection, *more: OutboxTable) -> None:
    """Make what a service's database needs once; make room in the outboxes for the months ahead.

    `more`: outboxes beside that of events, for services that have them.
    """
    await locked(connection, "tertib.prepare")
    await connection.execute(_ONCE)
    await add_made_for(connection)
    for outbox in dict.fromkeys((EVENTS, *more)):
        null = "" if outbox.to_all else "NOT NULL"
        await connection.execute(_OUTBOX.format(name=outbox.name, null=null))
        await make_room(connection, outbox)


async def add_made_for(connection: Connection) -> None:
    """Give a list of table sets of before the column that it lacks."""
    there = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM information_schema.columns WHERE table_schema = 'tertib'"
        " AND table_name = 'table_set' AND column_name = 'made_for')"
    )
    if not there:  # Asked first: ALTER TABLE blocks all writers, even if it changes nothing.
        await connection.execute("ALTER TABLE tertib.table_set ADD COLUMN made_for text")


async def make_room(connection: Connection, outbox: OutboxTable = EVENTS) -> None:
    """Let an outbox take rows of this month and the next two."""
    today: date = await connection.fetchval("SELECT CURRENT_DATE")
    for ahead in range(3):
        name = f"{outbox.name}_{_month(today, ahead):%Y_%m}"
        # Asked first: making a partition blocks all writers, even if it exists.
        if await connection.fetchval("SELECT to_regclass($1) IS NULL", f"tertib.{name}"):
            first, after = _month(today, ahead), _month(today, ahead + 1)
            await connection.execute(
                f"CREATE TABLE IF NOT EXISTS tertib.{name} PARTITION OF tertib.{outbox.name}"
                f" FOR VALUES FROM ('{first}') TO ('{after}')"
            )


def _month(day: date, ahead: int) -> date:
    months = day.year * 12 + day.month - 1 + ahead
    return date(months // 12, months % 12 + 1, 1)


async def locked(connection: Connection, name: str) -> None:
    """Let one process at a time change the tables, until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", name)
