"""The port of a relay's check before it publishes: does its table know all that is on the log."""

from typing import Protocol

import asyncpg


class Guard(Protocol):
    """Compares what a relay is to publish with what is on the log already."""

    async def check(self, connection: asyncpg.Connection) -> None:
        """Refuse to publish, before anything is. Errors: CannotRunError ends the relay."""

    async def note(self, connection: asyncpg.Connection) -> None:
        """Note, once in a minute of work, how far the log need not be searched again."""
