"""The connections of one consumer: few, and none that holds a lock for ever."""

import asyncpg


async def open_pool(database_url: str, session_ms: int) -> asyncpg.Pool:
    """Open them. A session that does nothing in a transaction is ended after so many ms."""
    return await asyncpg.create_pool(
        database_url,
        min_size=1,
        max_size=4,
        # A member that froze in a transaction must not block its successor for ever.
        server_settings={"idle_in_transaction_session_timeout": str(session_ms)},
    )
