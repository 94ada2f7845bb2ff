"""The outbox as its relay reads it: `tertib.events` in commit order, and the cursor behind it.

Numbers of a sequence become visible out of order when transactions overlap, and a reader that
follows them skips rows. So a row is read when every transaction that began before it is over: its
`xid` is below the oldest that still runs.
"""

from typing import NamedTuple

import asyncpg

from shared.runtime.errors import CannotRun
from shared.runtime.storage import schema

CHANNEL = "tertib_events"

_CURSOR = """
CREATE TABLE IF NOT EXISTS tertib.relay_cursor (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    xid xid8 NOT NULL DEFAULT '0',
    id bigint NOT NULL DEFAULT 0
);
INSERT INTO tertib.relay_cursor DEFAULT VALUES ON CONFLICT DO NOTHING;
"""
_PAGE = """
SELECT xid, id, topic, key, event_id, type, payload, headers FROM tertib.events
WHERE (xid, id) > ($1, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid, id LIMIT $3
"""
# Not as a join: it would walk through all that was ever sent.
_FIRST_UNSENT = """
SELECT xid, id FROM tertib.events
WHERE (xid, id) > ((SELECT xid FROM tertib.relay_cursor), (SELECT id FROM tertib.relay_cursor))
ORDER BY xid, id LIMIT 1
"""
_LATEST = "SELECT xid FROM tertib.events ORDER BY xid DESC, id DESC LIMIT 1"


class OutboxPosition(NamedTuple):
    """Where a row stands in the order of commits."""

    xid: int
    id: int


class OutboxRestored(CannotRun):
    """The rows come from a cluster whose transactions were counted further; the message helps."""


async def prepare(connection: asyncpg.Connection) -> None:
    """Make the outbox and the cursor where they are missing, and room for the months ahead."""
    async with connection.transaction():
        await schema.prepare(connection)
        await connection.execute(_CURSOR)


async def refuse_restored(connection: asyncpg.Connection) -> None:
    """Refuse rows that new ones would not come behind.

    Errors: Restored after a dump was restored into another cluster, whose count begins anew.
    """
    last = max(
        await connection.fetchval(_LATEST) or 0,
        await connection.fetchval("SELECT xid FROM tertib.relay_cursor"),
    )
    # Asked last: what others commit in between would look as if it came from elsewhere.
    now: int = await connection.fetchval("SELECT pg_current_xact_id()")
    if last >= now:
        message = (
            f"the outbox was restored into another cluster: its last transaction is {last}, and"
            f" this cluster is at {now}, so new events would be taken for sent ones. Stop the"
            f" server cleanly, run `pg_resetwal --epoch={(last >> 32) + 1}` on its data folder as"
            " its owner, and start it again"
        )
        raise OutboxRestored(message)


async def cursor(connection: asyncpg.Connection) -> OutboxPosition:
    """Give the place of the last row that is known to be published."""
    return OutboxPosition(*await connection.fetchrow("SELECT xid, id FROM tertib.relay_cursor"))


async def page(
    connection: asyncpg.Connection, after: OutboxPosition, limit: int
) -> list[asyncpg.Record]:
    """Give the next rows: xid, id, topic, key, event_id, type, payload, more headers."""
    rows: list[asyncpg.Record] = await connection.fetch(_PAGE, after.xid, after.id, limit)
    return rows


async def mark(connection: asyncpg.Connection, place: OutboxPosition) -> None:
    """Note that everything up to a place is acknowledged."""
    await connection.execute("UPDATE tertib.relay_cursor SET xid = $1, id = $2", *place)


async def first_unsent(connection: asyncpg.Connection) -> OutboxPosition | None:
    """Give the place of the first committed row that is not known to be published."""
    row = await connection.fetchrow(_FIRST_UNSENT)
    return OutboxPosition(*row) if row else None
