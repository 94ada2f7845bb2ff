"""An outbox as its relay reads it: rows in commit order, and the cursor behind them.

Numbers of a sequence become visible out of order when transactions overlap, and a reader that
follows them skips rows. So a row is read when every transaction that began before it is over: its
`xid` is below the oldest that still runs.
"""

from typing import NamedTuple

import asyncpg

from shared.errors import CannotRunError
from shared.runtime.storage import schema
from shared.runtime.storage.schema import EVENTS, OutboxTable

_CURSOR = """
CREATE TABLE IF NOT EXISTS tertib.{cursor} (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    xid xid8 NOT NULL DEFAULT '0',
    id bigint NOT NULL DEFAULT 0
);
INSERT INTO tertib.{cursor} DEFAULT VALUES ON CONFLICT DO NOTHING;
"""
_PAGE = """
SELECT xid, id, topic, key, event_id, type, payload, headers FROM tertib.{name}
WHERE (xid, id) > ($1, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid, id LIMIT $3
"""
# Not as a join: it would walk through all that was ever sent.
_FIRST_UNSENT = """
SELECT xid, id FROM tertib.{name}
WHERE (xid, id) > ((SELECT xid FROM tertib.{cursor}), (SELECT id FROM tertib.{cursor}))
ORDER BY xid, id LIMIT 1
"""
_LATEST = "SELECT xid FROM tertib.{name} ORDER BY xid DESC, id DESC LIMIT 1"


class OutboxPosition(NamedTuple):
    """Where a row stands in the order of commits."""

    xid: int
    id: int


class OutboxRestoredError(CannotRunError):
    """The rows come from a cluster with higher transaction numbers; the message helps."""


def _told(statement: str, outbox: OutboxTable) -> str:
    return statement.format(name=outbox.name, cursor=outbox.cursor)


async def prepare(connection: asyncpg.Connection, outbox: OutboxTable = EVENTS) -> None:
    """Make the outbox and the cursor where they are missing, and room for the months ahead."""
    async with connection.transaction():
        await schema.prepare(connection, outbox)
        await connection.execute(_told(_CURSOR, outbox))


async def refuse_restored(connection: asyncpg.Connection, outbox: OutboxTable = EVENTS) -> None:
    """Refuse a table whose rows have higher transaction numbers than new rows would get.

    Errors: OutboxRestoredError after a dump was restored into another cluster, which counts from
    0.
    """
    marked = f"SELECT xid FROM tertib.{outbox.cursor}"  # noqa: S608  (our own name)
    last = max(
        await latest(connection, outbox),
        await connection.fetchval(marked),
    )
    # Asked last: else a row that was committed meanwhile would seem to be from another cluster.
    now: int = await connection.fetchval("SELECT pg_current_xact_id()")
    if last >= now:
        message = (
            f"the outbox was restored into another cluster: its last transaction is {last}, and"
            f" this cluster is at {now}, so new events would be taken for sent ones. Stop the"
            f" server cleanly, run `pg_resetwal --epoch={(last >> 32) + 1}` on its data folder as"
            " its owner, and start it again"
        )
        raise OutboxRestoredError(message)


async def latest(connection: asyncpg.Connection, outbox: OutboxTable = EVENTS) -> int:
    """Give the transaction of the last committed row; 0 before the first."""
    return await connection.fetchval(_told(_LATEST, outbox)) or 0


async def cursor(connection: asyncpg.Connection, outbox: OutboxTable = EVENTS) -> OutboxPosition:
    """Give the place of the last row that is known to be published."""
    statement = f"SELECT xid, id FROM tertib.{outbox.cursor}"  # noqa: S608  (our own name)
    return OutboxPosition(*await connection.fetchrow(statement))


async def page(
    connection: asyncpg.Connection,
    after: OutboxPosition,
    limit: int,
    outbox: OutboxTable = EVENTS,
) -> list[asyncpg.Record]:
    """Give the next rows: xid, id, topic, key, event_id, type, payload, more headers."""
    statement = _told(_PAGE, outbox)
    rows: list[asyncpg.Record] = await connection.fetch(statement, after.xid, after.id, limit)
    return rows


async def mark(
    connection: asyncpg.Connection, place: OutboxPosition, outbox: OutboxTable = EVENTS
) -> None:
    """Note that everything up to a place is acknowledged, and tell who waits for it."""
    statement = f"UPDATE tertib.{outbox.cursor} SET xid = $1, id = $2"  # noqa: S608  (our own name)
    await connection.execute(statement, *place)
    if outbox.sent_channel:
        # On its own: a transaction that notifies holds up the commits of all others that do.
        await connection.execute("SELECT pg_notify($1, '')", outbox.sent_channel)


async def first_unsent(
    connection: asyncpg.Connection, outbox: OutboxTable = EVENTS
) -> OutboxPosition | None:
    """Give the place of the first committed row that is not known to be published."""
    row = await connection.fetchrow(_told(_FIRST_UNSENT, outbox))
    return OutboxPosition(*row) if row else None
