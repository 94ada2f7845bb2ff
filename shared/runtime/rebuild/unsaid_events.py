"""What a start after a loss concludes and nobody has said yet: kept until it may be said.

Until everything that was said is found equal, nothing may reach the outbox. A table, as it may be
a partition's whole past where hardly anything had been published.
"""

from collections.abc import Sequence
from typing import Any

import asyncpg

COLUMNS = ("topic", "key", "event_id", "type", "payload", "headers")


async def prepare(connection: Any, schema: str) -> None:
    """Make the table in a table set that nobody sees yet."""
    await connection.execute(
        f"CREATE TABLE {schema}.unsaid (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " topic text NOT NULL, key text NOT NULL, event_id text NOT NULL, type text NOT NULL,"
        " payload bytea NOT NULL, headers text)"
    )


async def keep(pool: asyncpg.Pool, schema: str, events: Sequence[tuple[Any, ...]]) -> None:
    """Append events, in order; with the text of more headers behind them or not."""
    if not events:
        return
    await pool.copy_records_to_table(
        "unsaid", schema_name=schema, columns=COLUMNS[: len(events[0])], records=events
    )
