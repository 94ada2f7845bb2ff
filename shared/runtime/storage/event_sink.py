"""Where the events of a table set go: the port, and the sink of tables that publish nothing.

The caller that makes a store chooses its sink. That of the outbox is `outbox_sink.py`, which no
rebuild may import: so a rebuild cannot publish, whatever else goes wrong.
"""

from typing import Any, Literal, Protocol

from shared.runtime.processing.stamping import Event
from shared.runtime.processing.write_batch import WriteBatch

Isolation = Literal["repeatable_read", "read_committed"]


class EventSink(Protocol):
    """Where the events of one table set go, and what its transactions must hold to.

    `isolation`: of every transaction that writes the set. One sink serves one projection.
    """

    isolation: Isolation

    async def current(self, connection: Any, projection: str, schema: str) -> str:
        """Give the table set to be written from now on instead of this one; or this one."""

    async def admit(self, connection: Any, schema: str) -> None:
        """Refuse a transaction that must not write the table set. Errors: WriteConflictError."""

    async def take(self, connection: Any, projection: str, writes: WriteBatch) -> None:
        """Take what a transaction tells and parks; the transaction may still be rolled back."""


class CollectedEvents:
    """Keeps events in memory, to be compared: a rebuild publishes nothing.

    It takes at the end of a transaction: what can fail without ending the rebuild failed before.
    """

    # The lanes of a rebuild meet at the broadcasts alone: who comes second waits for the row,
    # where a snapshot of before would fail, and the lane fold once more.
    isolation: Isolation = "read_committed"

    def __init__(self) -> None:
        self._events: list[Event] = []

    async def current(self, connection: Any, projection: str, schema: str) -> str:
        """Stay with the table set: it is to become the live one."""
        del connection, projection
        return schema

    async def admit(self, connection: Any, schema: str) -> None:
        """Let every transaction write: nobody looks at these tables yet."""

    async def take(self, connection: Any, projection: str, writes: WriteBatch) -> None:
        """Keep the events; of what is parked the rows are enough."""
        del connection, projection
        self._events += writes.events

    def drained(self) -> list[Event]:
        """Give what was concluded since this was asked last."""
        events, self._events = self._events, []
        return events
