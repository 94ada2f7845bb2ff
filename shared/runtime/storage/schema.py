"""What a service's database holds once: outbox, list of table sets, room for the months."""

from datetime import date
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = asyncpg.Connection

_ONCE = """
CREATE SCHEMA IF NOT EXISTS tertib;
CREATE SCHEMA IF NOT EXISTS read;
CREATE TABLE IF NOT EXISTS tertib.table_set (
    projection text NOT NULL,
    version integer NOT NULL,
    schema text PRIMARY KEY,
    live boolean NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_live_set ON tertib.table_set (projection) WHERE live;
CREATE TABLE IF NOT EXISTS tertib.events (
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id bigint GENERATED ALWAYS AS IDENTITY,
    recorded_on date NOT NULL DEFAULT CURRENT_DATE,
    topic text NOT NULL,
    key text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    payload bytea NOT NULL,
    headers text,
    PRIMARY KEY (xid, id, recorded_on)
) PARTITION BY RANGE (recorded_on);
"""


async def prepare(connection: Connection) -> None:
    """Make what a service's database needs once; make room in the outbox for the months ahead."""
    await locked(connection, "tertib.prepare")
    await connection.execute(_ONCE)
    await make_room(connection)


async def make_room(connection: Connection) -> None:
    """Let the outbox take events of this month and the next two."""
    today: date = await connection.fetchval("SELECT CURRENT_DATE")
    for ahead in range(3):
        name = f"events_{_month(today, ahead):%Y_%m}"
        # Asked first: making a partition, even in vain, locks out who writes events.
        if await connection.fetchval("SELECT to_regclass($1) IS NULL", f"tertib.{name}"):
            first, after = _month(today, ahead), _month(today, ahead + 1)
            await connection.execute(
                f"CREATE TABLE IF NOT EXISTS tertib.{name} PARTITION OF tertib.events"
                f" FOR VALUES FROM ('{first}') TO ('{after}')"
            )


def _month(day: date, ahead: int) -> date:
    months = day.year * 12 + day.month - 1 + ahead
    return date(months // 12, months % 12 + 1, 1)


async def locked(connection: Connection, name: str) -> None:
    """Let one process at a time change the tables, until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", name)
