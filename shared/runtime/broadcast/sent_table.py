"""What a broadcaster has sent: its broadcasts with their numbers, and the ids of keyed facts."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

import asyncpg

from shared.runtime.storage import schema

_TABLES = """
CREATE TABLE IF NOT EXISTS tertib.broadcasts_sent (
    broadcastseq bigint PRIMARY KEY,
    id text NOT NULL UNIQUE,
    type text NOT NULL,
    value bytea NOT NULL,
    acknowledged boolean NOT NULL DEFAULT false
);
CREATE INDEX IF NOT EXISTS broadcasts_unacknowledged
    ON tertib.broadcasts_sent (broadcastseq) WHERE NOT acknowledged;
CREATE TABLE IF NOT EXISTS tertib.sent_facts (id uuid PRIMARY KEY, content bytea);
CREATE TABLE IF NOT EXISTS tertib.broadcasts_looked_for (
    partition integer PRIMARY KEY,
    next_offset bigint NOT NULL
);
"""

_OLDER = """
SELECT FROM information_schema.columns
WHERE (table_schema, table_name, column_name) = ('tertib', 'sent_facts', 'content')
"""


class Broadcast(NamedTuple):
    """A numbered broadcast; `value` holds its number."""

    number: int
    id: str
    type: str
    value: bytes


async def prepare(connection: asyncpg.Connection) -> None:
    """Make the tables where they are missing."""
    async with connection.transaction():
        await schema.prepare(connection)
        await connection.execute(_TABLES)
        if await connection.fetchrow(_OLDER) is None:  # Asked first: ALTER locks everybody out.
            await connection.execute("ALTER TABLE tertib.sent_facts ADD COLUMN content bytea")


async def last_number(connection: asyncpg.Connection) -> int:
    """Give the number of the latest broadcast; 0 before the first."""
    number: int = await connection.fetchval(
        "SELECT coalesce(max(broadcastseq), 0) FROM tertib.broadcasts_sent"
    )
    return number


async def known(connection: asyncpg.Connection, ids: Sequence[str]) -> dict[str, Broadcast]:
    """Give those broadcasts that were numbered before, by id."""
    rows = await connection.fetch(
        "SELECT broadcastseq, id, type, value FROM tertib.broadcasts_sent WHERE id = ANY($1)", ids
    )
    return {row["id"]: Broadcast(*row) for row in rows}


async def number(connection: asyncpg.Connection, broadcasts: Sequence[Broadcast]) -> None:
    """Commit broadcasts before any of them is sent."""
    await connection.copy_records_to_table(
        "broadcasts_sent",
        schema_name="tertib",
        columns=("broadcastseq", "id", "type", "value"),
        records=broadcasts,
    )


async def unacknowledged(connection: asyncpg.Connection, limit: int) -> list[Broadcast]:
    """Give the first broadcasts that not every partition is known to hold, in order."""
    rows = await connection.fetch(
        "SELECT broadcastseq, id, type, value FROM tertib.broadcasts_sent"
        " WHERE NOT acknowledged ORDER BY broadcastseq LIMIT $1",
        limit,
    )
    return [Broadcast(*row) for row in rows]


async def acknowledge(connection: asyncpg.Connection, last: int) -> None:
    """Mark the prefix that all partitions hold."""
    await connection.execute(
        "UPDATE tertib.broadcasts_sent SET acknowledged = true"
        " WHERE NOT acknowledged AND broadcastseq <= $1",
        last,
    )


async def facts_among(
    connection: asyncpg.Connection, ids: Sequence[str]
) -> dict[str, bytes | None]:
    """Give those ids (UUIDs as text) whose facts were sent before, and what was kept of each."""
    rows = await connection.fetch(
        "SELECT id::text, content FROM tertib.sent_facts WHERE id = ANY($1::uuid[])", ids
    )
    return dict(map(tuple, rows))


async def note_facts(connection: asyncpg.Connection, facts: Mapping[str, bytes | None]) -> None:
    """Note facts as sent that were not, in index order: kinder to a large index.

    `facts`: by id what is to be kept of each, to hold a later one against it; mostly nothing.
    Errors: asyncpg.UniqueViolationError if another broadcaster noted one of them meanwhile.
    """
    async with connection.transaction():
        # What a crash of the server takes with it is sent again, and readers drop it by its id.
        await connection.execute("SET LOCAL synchronous_commit = off")
        await connection.copy_records_to_table(
            "sent_facts", schema_name="tertib", records=sorted(facts.items(), key=itemgetter(0))
        )


async def looked_for(connection: asyncpg.Connection) -> dict[int, int]:
    """Give, by partition, the offset before which the log holds no number beyond the table."""
    rows = await connection.fetch(
        "SELECT partition, next_offset FROM tertib.broadcasts_looked_for"
    )
    return {row[0]: row[1] for row in rows}


async def note_looked_for(connection: asyncpg.Connection, ends: dict[int, int]) -> None:
    """Note how far the log was searched, so that it is searched once."""
    await connection.execute(
        "INSERT INTO tertib.broadcasts_looked_for SELECT * FROM unnest($1::int[], $2::bigint[])"
        " ON CONFLICT (partition) DO UPDATE SET next_offset = excluded.next_offset",
        list(ends),
        list(ends.values()),
    )
