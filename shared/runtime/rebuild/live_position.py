"""How far live tables are, read as of one moment: up to there a rebuild is compared with them."""

import asyncio

import asyncpg

from shared.errors import CannotRunError
from shared.runtime.positions import TopicPartition

PAUSE = 0.05
TRIES = 100
SHOWN = 10


async def position_of(
    pool: asyncpg.Pool, schema: str, number: int
) -> tuple[dict[TopicPartition, int], dict[str, int]]:
    """Say where a partition stands, and the last number of each of its subjects, as of then.

    Errors: CannotRunError if it is never met between two broadcasts.
    """
    for _ in range(TRIES):
        async with (
            pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            rows = await connection.fetch(
                f"SELECT topic, next_offset, last_subject FROM {schema}.cursors"
                " WHERE partition = $1",
                number,
            )
            last = await connection.fetch(
                f"SELECT subject, last_seq FROM {schema}.subjects WHERE partition = $1", number
            )
        if not any(row["last_subject"] for row in rows):
            ends = {(row["topic"], number): row["next_offset"] for row in rows}
            return ends, {row["subject"]: row["last_seq"] for row in last}
        await asyncio.sleep(PAUSE)  # In the middle of a broadcast: a moment later it is done.
    message = f"partition {number} stands in the middle of a broadcast"
    raise CannotRunError(message)


async def positions(
    pool: asyncpg.Pool, schema: str, *, whole: bool = True
) -> dict[TopicPartition, int]:
    """Say where all partitions stand; nothing while one is amid a broadcast, if `whole`."""
    rows = await pool.fetch(
        f"SELECT topic, partition, next_offset, last_subject FROM {schema}.cursors"
    )
    if whole and any(row["last_subject"] for row in rows):
        return {}
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def differing_subjects(pool: asyncpg.Pool, live: str, new: str) -> list[str]:
    """Name the first subjects whose last number or parking is not the same in both."""
    rows = await pool.fetch(
        "SELECT subject, o.last_seq AS old, n.last_seq AS new"
        f" FROM {live}.subjects o FULL JOIN {new}.subjects n"
        " USING (subject) WHERE (o.last_seq, o.parked) IS DISTINCT FROM (n.last_seq, n.parked)"
        f" ORDER BY subject LIMIT {SHOWN}"
    )
    return [
        f"{row['subject']} stands at number {row['old']}, and anew at {row['new']}" for row in rows
    ]
