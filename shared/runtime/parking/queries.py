"""Queries about parked records, for operators and health: lists, gaps, stopped partitions."""

from collections.abc import Sequence

import asyncpg

from shared.runtime.storage.store import PostgresStore

GAP = "gap"


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
    """Let stopped partitions continue; give how many. The runner notices by itself."""
    done: str = await store.pool.execute(
        f"UPDATE {store.schema}.cursors SET stopped = NULL, stopped_kind = NULL"
        " WHERE stopped IS NOT NULL"
    )
    return int(done.removeprefix("UPDATE "))
