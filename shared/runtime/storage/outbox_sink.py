"""The sink of the live table set: its events go into the outbox, in the same transaction."""

from typing import Any

from shared.runtime.processing.dead_letters import dead_letter_events
from shared.runtime.processing.store_port import WriteConflictError
from shared.runtime.processing.write_batch import WriteBatch
from shared.runtime.storage.event_sink import Isolation
from shared.runtime.storage.outbox_writer import copy_events
from shared.runtime.storage.table_sets import live_schema

# Shared, so that a switch waits for the writers under way, and they for none of each other.
_LIVE = "SELECT live FROM tertib.table_set WHERE schema = $1 FOR SHARE"


class LiveOutbox:
    """Appends events and dead letters to the outbox; the relay publishes them."""

    isolation: Isolation = "repeatable_read"

    async def current(self, connection: Any, projection: str, schema: str) -> str:
        """Follow a rebuild that has switched: its table set is the live one now."""
        return await live_schema(connection, projection) or schema

    async def admit(self, connection: Any, schema: str) -> None:
        """Write the live set only: a writer that missed a switch would write into the past."""
        if not await connection.fetchval(_LIVE, schema):
            raise WriteConflictError(f"{schema} is no longer the live table set")

    async def take(self, connection: Any, projection: str, writes: WriteBatch) -> None:
        """Append to the outbox, and wake the relay at the commit."""
        await copy_events(connection, dead_letter_events(projection, writes.parked))
        await copy_events(connection, writes.events)
