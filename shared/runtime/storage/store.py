"""PostgreSQL: what a projection keeps, read by subject and written in one guarded transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg

from shared.events.envelope import Envelope
from shared.events.structs import decoder_of
from shared.runtime.kafka.headers import headers_in
from shared.runtime.limits import Limits
from shared.runtime.positions import TopicPartition
from shared.runtime.processing import halt as halts
from shared.runtime.processing.brake import Brake
from shared.runtime.processing.halt import Halt
from shared.runtime.processing.state import Cursor, Partition, SubjectState
from shared.runtime.processing.store_port import (
    RowsRejectedError,
    WriteConflictError,
)
from shared.runtime.processing.write_batch import ParkedRow, WriteBatch
from shared.runtime.projection import Changes, Load, Projection, Row
from shared.runtime.storage import statements
from shared.runtime.storage.event_sink import EventSink
from shared.runtime.storage.statements import by_column
from shared.runtime.storage.table_sets import check_version
from shared.runtime.storage.table_writer import TableWriter


class PostgresStore:
    """One table set of one projection; it never changes which.

    `sink`: where its events go; what is live and what is not differs in that alone. Every method:
    UNAVAILABLE.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        projection: Projection[Any, Any],
        schema: str,
        sink: EventSink,
    ) -> None:
        self.pool = pool
        self.projection = projection
        self.schema = schema
        self.sink = sink
        self._decoders = {kind.type_name(): decoder_of(kind) for kind in projection.hears}
        self._named = any(kind.BROADCAST for kind in projection.hears)
        self._said = statements.of(schema)
        self._writer = TableWriter(projection, schema)
        self._successor: PostgresStore | None = None

    async def live(self) -> "PostgresStore":
        """Give the store of the table set that is live now: this one, or its successor.

        Errors: tableset.OtherVersionError if another version of the projection has taken over.
        """
        async with self.pool.acquire() as connection:
            schema = await self.sink.current(connection, self.projection.name, self.schema)
            if schema == self.schema:
                return self
            await check_version(connection, self.projection, schema)
        if self._successor is None or self._successor.schema != schema:
            self._successor = PostgresStore(self.pool, self.projection, schema, self.sink)
        return self._successor

    # Cursors.

    async def claim(self, places: Iterable[TopicPartition], owner: str) -> list[Cursor]:
        """Claim partitions: their epoch grows, so the member before can no longer write."""
        wanted = by_column(places, 2)
        rows = await self.pool.fetch(self._said.claim, *wanted, owner, halts.FORGOTTEN)
        return [_cursor(row) for row in rows]

    async def cursors(self, places: Iterable[TopicPartition]) -> list[Cursor]:
        """Read cursors; a partition that was never bootstrapped is missing."""
        rows = await self.pool.fetch(self._said.cursors, *by_column(places, 2))
        return [_cursor(row) for row in rows]

    async def partitions(self, cursors: Sequence[Cursor], limits: Limits) -> list[Partition]:
        """Build what claimed partitions know: knowledge, and names where broadcasts are heard."""
        names: dict[int, list[str]] = {cursor.partition: [] for cursor in cursors}
        heard: list[tuple[int, Envelope]] = []
        if self._named:
            for number, subject in await self.pool.fetch(self._said.names, list(names)):
                names[number].append(subject)
            last = max((cursor.broadcast for cursor in cursors), default=0)
            heard = await self._numbered(0, last)
        return [
            Partition(
                cursor.topic,
                cursor.partition,
                cursor.next_offset,
                cursor.last_subject,
                cursor.broadcast,
                cursor.epoch,
                self._learned(heard, cursor.broadcast),
                names[cursor.partition],
                Brake(limits),
                cursor.tail,
            )
            for cursor in cursors
        ]

    async def stop(self, cursor: Cursor, halt: Halt | None) -> None:
        """Say in the cursor's row why a partition stands still; None: it goes on."""
        place = cursor.topic, cursor.partition
        await self.pool.execute(self._said.stop, *place, cursor.epoch, *(halt or (None, None)))

    # Broadcasts.

    async def knowledge(self, number: int) -> Any:
        """Give the knowledge as of a broadcast's number."""
        return self._learned(await self._numbered(0, number), number)

    async def broadcasts(self, after: int, last: int) -> list[Envelope]:
        """Give the broadcasts numbered after one number, up to another."""
        return [broadcast for _, broadcast in await self._numbered(after, last)]

    async def _numbered(self, after: int, last: int) -> list[tuple[int, Envelope]]:
        rows = await self.pool.fetch(self._said.broadcasts, after, last)
        return [(number, self._decoders[type_].decode(value)) for number, type_, value in rows]

    def _learned(self, heard: Iterable[tuple[int, Envelope]], last: int) -> Any:
        knowledge = self.projection.knowledge()
        for number, broadcast in heard:
            if number <= last:
                self.projection.learn(knowledge, broadcast)
        return knowledge

    # Subjects.

    async def entries(self, subjects: Mapping[str, int]) -> list[SubjectState]:
        """Read subjects (to their partitions) with their states; those without a row are new."""
        async with (
            self.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            found = await connection.fetch(self._said.subjects, list(subjects))
            known = {row["subject"]: row for row in found}
            rows = await self._rows(connection, list(known)) if known else {}
        restore = self.projection.restore
        return [
            SubjectState(
                subject,
                row["partition"],
                restore(subject, rows.get(subject, {})),
                row["version"],
                row["last_seq"],
                json.loads(row["heard"]),
                row["parked"],
            )
            if (row := known.get(subject)) is not None
            else SubjectState(subject, partition, restore(subject, {}))
            for subject, partition in subjects.items()
        ]

    async def _rows(
        self, connection: Any, subjects: Sequence[str]
    ) -> Mapping[str, Mapping[str, Sequence[Row]]]:
        by_subject: dict[str, dict[str, list[Row]]] = {}
        for load in self.projection.loads:
            for row in await connection.fetch(load.sql.format(schema=self.schema), subjects):
                by_subject.setdefault(row[0], {}).setdefault(load.name, []).append(tuple(row))
        return by_subject

    async def older(self, load: Load, subject: str) -> list[Row]:
        """Read the rows that one subject's fold asks for."""
        rows = await self.pool.fetch(load.sql.format(schema=self.schema), [subject])
        return [tuple(row) for row in rows]

    async def queue(self, subject: str) -> list[ParkedRow]:
        """Give what waits of a parked subject, in the order of the log."""
        rows = await self.pool.fetch(self._said.queue, subject)
        return [
            ParkedRow(id_, value, headers_in(headers), *rest)
            for id_, value, headers, *rest in rows
        ]

    # Writing.

    async def commit(self, writes: WriteBatch, rows: Mapping[str, Changes]) -> None:
        """Write everything or nothing.

        Errors: WriteConflictError, BroadcastContradictionError, RowsRejectedError.
        """
        try:
            async with (
                self.pool.acquire() as connection,
                connection.transaction(isolation=self.sink.isolation),
            ):
                await self.sink.admit(connection, self.schema)
                await self._writer.write(connection, writes, rows)
                await self.sink.take(connection, self.projection.name, writes)
        except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as error:
            raise WriteConflictError(type(error).__name__) from error
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            raise RowsRejectedError(type(error).__name__) from error
        except asyncpg.InterfaceError as error:
            if not isinstance(error, ValueError):
                raise
            raise RowsRejectedError(type(error).__name__) from error  # It could not even be sent.


def _cursor(row: asyncpg.Record) -> Cursor:
    *rest, kind, detail = row
    return Cursor._make([*rest, halts.stored(kind, detail)])
