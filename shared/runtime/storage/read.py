"""Reads a projection's live tables: the only way in which a service may use the runner's tables.

Those (cursors, subjects, broadcasts, parked records) are private to the runtime. A service reads
its own tables by a `Load`, or by the views of schema `read`.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from shared.events.structs import decoder_of
from shared.runtime.projection import Load, Projection, Row
from shared.runtime.storage.schema import Connection
from shared.runtime.storage.table_sets import live_schema


class Position(NamedTuple):
    """Where a subject stands: its partition, and the last broadcast that was applied there."""

    partition: int
    broadcast: int


class LiveTables:
    """The live table set of a projection as of one moment (`live_tables`).

    Errors of every method: those of asyncpg.
    """

    def __init__(
        self, connection: Connection, projection: Projection[Any, Any], schema: str
    ) -> None:
        self._connection = connection
        self._projection = projection
        self._schema = schema

    async def position_of(self, subject: str) -> Position | None:
        """Give a subject's position; None: it is unknown."""
        row = await self._connection.fetchrow(
            f"SELECT s.partition, max(c.broadcast) FROM {self._schema}.subjects s"
            f" JOIN {self._schema}.cursors c USING (partition) WHERE s.subject = $1"
            " GROUP BY s.partition",
            subject,
        )
        return None if row is None else Position(*row)

    async def knowledge(self, broadcast: int) -> Any:
        """Give what the projection knew when it had heard the broadcasts up to this number."""
        rows = await self._connection.fetch(
            f"SELECT type, value FROM {self._schema}.broadcasts WHERE broadcastseq <= $1"
            " ORDER BY broadcastseq",
            broadcast,
        )
        decoders = {kind.type_name(): decoder_of(kind) for kind in self._projection.hears}
        knowledge = self._projection.knowledge()
        for type_, value in rows:
            self._projection.learn(knowledge, decoders[type_].decode(value))
        return knowledge

    async def rows(self, load: Load, subject: str) -> list[Row]:
        """Give the rows that a load brings of one subject."""
        found = await self._connection.fetch(load.sql.format(schema=self._schema), [subject])
        return [tuple(row) for row in found]

    async def rows_of(self, loads: Sequence[Load], subject: str) -> Mapping[str, Sequence[Row]]:
        """Give the rows of several loads by their names, as `Projection.restore` takes them."""
        return {load.name: await self.rows(load, subject) for load in loads}

    async def parked_among(self, subjects: Collection[str]) -> set[str]:
        """Name those of these subjects for whom records wait in a queue."""
        found = await self._connection.fetch(
            f"SELECT subject FROM {self._schema}.subjects WHERE parked AND subject = ANY($1)",
            list(subjects),
        )
        return {row["subject"] for row in found}


@asynccontextmanager
async def live_tables(
    connection: Connection, projection: Projection[Any, Any]
) -> AsyncIterator[LiveTables | None]:
    """Open the live tables of a projection at one moment; None: it was never started.

    A transaction that reads: keep it short, nothing of the cluster is cleaned up meanwhile.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        started = await connection.fetchval("SELECT to_regclass('tertib.table_set') IS NOT NULL")
        schema = await live_schema(connection, projection.name) if started else None
        yield None if schema is None else LiveTables(connection, projection, schema)
