"""What is known of the facts that went out: broadcasts with number and bytes, ids of keyed facts.

The outbox holds what is to be sent and may lose its old months; this is the memory by which a
repetition adds nothing, and what contradicts is found before it is sent.
"""

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

import asyncpg

from shared.runtime.outbox import outbox_table
from shared.runtime.storage import schema
from shared.runtime.storage.schema import FACTS

_TABLES = """
CREATE TABLE IF NOT EXISTS tertib.known_broadcasts (
    broadcastseq bigint PRIMARY KEY,
    id text NOT NULL UNIQUE,
    type text NOT NULL,
    regency text NOT NULL,
    value bytea NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX IF NOT EXISTS known_broadcasts_of_regency
    ON tertib.known_broadcasts (regency, broadcastseq);
CREATE INDEX IF NOT EXISTS known_broadcasts_of_type
    ON tertib.known_broadcasts (type, regency, broadcastseq);
CREATE TABLE IF NOT EXISTS tertib.known_facts (id uuid PRIMARY KEY, content bytea);
CREATE TABLE IF NOT EXISTS tertib.facts_scanned (
    partition integer PRIMARY KEY,
    next_offset bigint NOT NULL
);
"""
_LATEST_OF = """
SELECT max(latest.xid) FROM unnest($1::text[]) AS asked (regency), LATERAL (
    SELECT xid FROM tertib.known_broadcasts WHERE regency = asked.regency
    ORDER BY broadcastseq DESC LIMIT 1
) AS latest
"""
_ENDS_OF_TYPE = """
SELECT asked.regency, first.value, latest.value FROM unnest($2::text[]) AS asked (regency),
LATERAL (
    SELECT value FROM tertib.known_broadcasts WHERE (type, regency) = ($1, asked.regency)
    ORDER BY broadcastseq LIMIT 1
) AS first, LATERAL (
    SELECT value FROM tertib.known_broadcasts WHERE (type, regency) = ($1, asked.regency)
    ORDER BY broadcastseq DESC LIMIT 1
) AS latest
"""


class Broadcast(NamedTuple):
    """A numbered broadcast; `value` holds its number."""

    number: int
    id: str
    type: str
    regency: str
    value: bytes


async def prepare(connection: asyncpg.Connection) -> None:
    """Make the outbox of facts and what is known of them, where they are missing."""
    await outbox_table.prepare(connection, FACTS)
    async with connection.transaction():
        await schema.locked(connection, "tertib.prepare")
        # Asked first: CREATE INDEX waits for all writers, even if the index exists.
        if await connection.fetchval("SELECT to_regclass('tertib.facts_scanned') IS NULL"):
            await connection.execute(_TABLES)


async def last_number(connection: asyncpg.Connection) -> int:
    """Give the number of the latest broadcast; 0 before the first."""
    number: int = await connection.fetchval(
        "SELECT coalesce(max(broadcastseq), 0) FROM tertib.known_broadcasts"
    )
    return number


async def broadcasts_among(
    connection: asyncpg.Connection, ids: Sequence[str]
) -> dict[str, Broadcast]:
    """Give those broadcasts that have a number, by id."""
    rows = await connection.fetch(
        "SELECT broadcastseq, id, type, regency, value FROM tertib.known_broadcasts"
        " WHERE id = ANY($1)",
        ids,
    )
    return {row["id"]: Broadcast(*row) for row in rows}


async def first_and_last(
    connection: asyncpg.Connection, type_: str, regencies: Collection[str]
) -> dict[str, tuple[bytes, bytes]]:
    """Give the first and the last broadcast of a type, as bytes, by regency that has any."""
    rows = await connection.fetch(_ENDS_OF_TYPE, type_, [*regencies])
    return {row[0]: (row[1], row[2]) for row in rows}


async def latest_broadcast(connection: asyncpg.Connection, regencies: Collection[str]) -> int:
    """Give the transaction of the last broadcast to any of these regencies; 0 before the first."""
    return await connection.fetchval(_LATEST_OF, [*regencies]) or 0


async def note_broadcasts(connection: asyncpg.Connection, broadcasts: Sequence[Broadcast]) -> None:
    """Note broadcasts in the transaction that gives them their numbers."""
    await connection.copy_records_to_table(
        "known_broadcasts",
        schema_name="tertib",
        columns=("broadcastseq", "id", "type", "regency", "value"),
        records=broadcasts,
    )


async def facts_among(
    connection: asyncpg.Connection, ids: Sequence[str]
) -> dict[str, bytes | None]:
    """Give those ids (UUIDs as text) whose facts went out before, and what was kept of each."""
    rows = await connection.fetch(
        "SELECT id::text, content FROM tertib.known_facts WHERE id = ANY($1::uuid[])", ids
    )
    return dict(map(tuple, rows))


async def note_facts(connection: asyncpg.Connection, facts: Mapping[str, bytes | None]) -> None:
    """Note keyed facts, in index order: kinder to a large index, and no two wait in a circle.

    `facts`: by id what is kept of each, to compare a later one with it; mostly nothing.
    An id that another process noted meanwhile stays as it is: both sent the same fact, and
    readers drop the second one.
    """
    noted = sorted(facts.items(), key=itemgetter(0))
    await connection.execute(
        "INSERT INTO tertib.known_facts SELECT * FROM unnest($1::uuid[], $2::bytea[])"
        " ON CONFLICT DO NOTHING",
        [id_ for id_, _ in noted],
        [content for _, content in noted],
    )


async def scanned_to(connection: asyncpg.Connection) -> dict[int, int]:
    """Give, by partition, the offset before which the log holds no number beyond the table."""
    rows = await connection.fetch("SELECT partition, next_offset FROM tertib.facts_scanned")
    return {row[0]: row[1] for row in rows}


async def note_scanned(connection: asyncpg.Connection, ends: dict[int, int]) -> None:
    """Note how far the log was searched, so that it is searched once."""
    await connection.execute(
        "INSERT INTO tertib.facts_scanned SELECT * FROM unnest($1::int[], $2::bigint[])"
        " ON CONFLICT (partition) DO UPDATE SET next_offset = excluded.next_offset",
        list(ends),
        list(ends.values()),
    )
