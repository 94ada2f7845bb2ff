"""What a relay asks before it publishes: whether its table knows what the log holds."""

from typing import Protocol

import asyncpg


class Guard(Protocol):
    """Holds what a relay is to publish against what the log holds already."""

    async def check(self, connection: asyncpg.Connection) -> None:
        """Refuse to publish, before anything is. Errors: CannotRun ends the relay."""

    async def note(self, connection: asyncpg.Connection) -> None:
        """Note, every minute of work, how far the log needs no more looking at."""
