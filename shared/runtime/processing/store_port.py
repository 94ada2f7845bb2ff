"""The port to where a projection is kept: PostgreSQL, or memory in tests."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from shared.events.envelope import Envelope
from shared.runtime.limits import Limits
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.halt import Halt
from shared.runtime.processing.state import Cursor, Partition, SubjectState
from shared.runtime.processing.write_batch import ParkedRow, WriteBatch
from shared.runtime.projection import Changes, Load, Projection, Row


class WriteConflictError(Exception):
    """Another writer changed a cursor or a subject first: nothing of this is written."""


class BroadcastContradictionError(Exception):
    """A broadcast that is to be written contradicts the stored one: nothing is written."""

    def __init__(self, broadcast: int, reason: str) -> None:
        self.broadcast = broadcast
        self.reason = reason
        super().__init__(reason)


class RowsRejectedError(Exception):
    """The store is there and will never take these rows: nothing is written."""


class Store(Protocol):
    """Where a projection is kept: PostgreSQL, or memory in tests. One table set.

    Errors of every method: Unavailable ones of the implementation; they never mean "not there".
    """

    projection: Projection[Any, Any]

    async def live(self) -> "Store":
        """Give the store of the table set that is live now: a rebuild may have switched it."""

    async def claim(self, places: Iterable[TopicPartition], owner: str) -> list[Cursor]:
        """Claim partitions: their epoch grows, so the member before can no longer write."""

    async def cursors(self, places: Iterable[TopicPartition]) -> list[Cursor]:
        """Read cursors; a partition that was never bootstrapped is missing."""

    async def partitions(self, cursors: Sequence[Cursor], limits: Limits) -> list[Partition]:
        """Build what claimed partitions know: knowledge, and names where broadcasts are heard."""

    async def knowledge(self, number: int) -> Any:
        """Give the knowledge as of a broadcast's number."""

    async def broadcasts(self, after: int, last: int) -> list[Envelope]:
        """Give the broadcasts numbered after one number, up to another."""

    async def queue(self, subject: str) -> list[ParkedRow]:
        """Give the queue of a parked subject, in the order of the log."""

    async def entries(self, subjects: Mapping[str, int]) -> list[SubjectState]:
        """Read subjects (to their partitions) with their states, as of one moment."""

    async def older(self, load: Load, subject: str) -> list[Row]:
        """Read the rows that one subject's fold asks for."""

    async def commit(self, writes: WriteBatch, rows: Mapping[str, Changes]) -> None:
        """Write everything or nothing.

        Errors: WriteConflictError, BroadcastContradictionError, RowsRejectedError.
        """

    async def stop(self, cursor: Cursor, halt: Halt | None) -> None:
        """Say in the cursor's row why a partition stands still; None: it goes on."""
