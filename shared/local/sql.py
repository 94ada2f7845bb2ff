"""One statement to a PostgreSQL server, from anywhere: inside an event loop as well as outside."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg

from shared.local.errors import StackError

TIMEOUT_SECONDS = 30.0


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Run one statement on a connection of its own, in autocommit, and give its rows.

    Errors: StackError with the server's message, or if there is no answer within 30 seconds.
    """
    with ThreadPoolExecutor(1) as thread:  # The caller's own loop, if any, must not be entered.
        return thread.submit(asyncio.run, _ask(url, statement)).result()


async def _ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    try:
        connection = await asyncpg.connect(url, timeout=TIMEOUT_SECONDS, ssl=False)
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as failure:
        message = f"PostgreSQL: {failure or type(failure).__name__}"
        raise StackError(message) from failure
