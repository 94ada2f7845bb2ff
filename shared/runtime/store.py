"""PostgreSQL: what a projection keeps, read by subject and written in one guarded transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from shared.events.base import Fact
from shared.events.catalogue import BY_TYPE
from shared.events.envelope import Envelope
from shared.events.structs import decoder_of
from shared.runtime.batch import Entry, Halt, Partition, Writes
from shared.runtime.projection import Changes, Load, Projection, Row
from shared.runtime.tableset import columns_of, live_schema

Event = tuple[str, str, str, str, bytes]  # Topic, key, id, type, the canonical bytes.
PARKED = "tertib.runtime.RecordParked.v1"
WAKE_RELAY = "SELECT pg_notify('tertib_events', '')"


class Fenced(Exception):  # noqa: N818  (what happened to the writer)
    """Somebody else wrote the cursor or a subject first: nothing of this transaction is written."""


class Store:
    """One table set of one projection.

    `concluded` None: the live set, whose events go into the outbox. A rebuild gives a list: its
    events are kept there, to be compared, and nothing is sent.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        projection: Projection[Any, Any],
        schema: str,
        concluded: list[Event] | None = None,
    ) -> None:
        self.pool = pool
        self.projection = projection
        self.concluded = concluded
        self.use(schema)

    def use(self, schema: str) -> None:
        """Read and write this table set from now on."""
        projection = self.projection
        self.schema = schema
        self._columns = {table.name: columns_of(table) for table in projection.tables}
        self._upserts = {t.name: _upsert(schema, t, columns_of(t)) for t in projection.tables}

    async def follow(self) -> bool:
        """Go on in the table set that is live now; True if a rebuild has switched it."""
        if self.concluded is not None:
            return False
        async with self.pool.acquire() as connection:
            schema = await live_schema(connection, self.projection.name)
        if schema is None or schema == self.schema:
            return False
        self.use(schema)
        return True

    # Reading.

    async def claim(self, topic: str, numbers: Sequence[int], owner: str) -> list[asyncpg.Record]:
        """Take partitions: their epoch grows, and whoever held them before writes no more."""
        rows: list[asyncpg.Record] = await self.pool.fetch(
            f"UPDATE {self.schema}.cursors SET epoch = epoch + 1, owner = $3, stopped = NULL"
            " WHERE topic = $1 AND partition = ANY($2::int[])"
            " RETURNING partition, next_offset, last_subject, broadcast, epoch, stopped",
            topic,
            list(numbers),
            owner,
        )
        return rows

    async def partition(self, topic: str, row: asyncpg.Record) -> Partition:
        """Build what a claimed partition knows: broadcasts up to its number, names, parked ones."""
        number = row["partition"]
        names = await self.pool.fetch(
            f"SELECT subject, parked FROM {self.schema}.subjects WHERE partition = $1"
            " ORDER BY subject",
            number,
        )
        knowledge = await self.knowledge(row["broadcast"])
        return Partition(
            topic,
            number,
            row["next_offset"],
            row["last_subject"],
            row["broadcast"],
            row["epoch"],
            knowledge,
            [name["subject"] for name in names],
            {name["subject"] for name in names if name["parked"]},
        )

    async def knowledge(self, number: int) -> Any:
        """Give the knowledge as of a broadcast's number."""
        knowledge = self.projection.knowledge()
        for broadcast in await self.broadcasts(0, number):
            self.projection.learn(knowledge, broadcast)
        return knowledge

    async def broadcasts(self, after: int, last: int) -> list[Envelope]:
        """Give the broadcasts numbered after one number, up to another."""
        rows = await self.pool.fetch(
            f"SELECT type, value FROM {self.schema}.broadcasts"
            " WHERE broadcastseq > $1 AND broadcastseq <= $2 ORDER BY broadcastseq",
            after,
            last,
        )
        return [decoder_of(_kind(row["type"])).decode(row["value"]) for row in rows]

    async def entries(self, subjects: Sequence[str], partition: int) -> list[Entry]:
        """Read subjects with their states; those without a row are new."""
        async with self.pool.acquire() as connection, connection.transaction(
            isolation="repeatable_read", readonly=True
        ):
            return await self.entries_in(connection, subjects, partition)

    async def entries_in(
        self, connection: asyncpg.Connection, subjects: Sequence[str], partition: int
    ) -> list[Entry]:
        """Read subjects in a transaction of the caller's."""
        found = await connection.fetch(
            "SELECT subject, partition, version, last_seq, heard, parked"
            f" FROM {self.schema}.subjects WHERE subject = ANY($1)",
            list(subjects),
        )
        known = {row["subject"]: row for row in found}
        rows = await self._rows(connection, list(known)) if known else {}
        restore = self.projection.restore
        return [
            Entry(
                subject,
                row["partition"],
                restore(subject, rows.get(subject, {})),
                row["version"],
                row["last_seq"],
                json.loads(row["heard"]),
                row["parked"],
            )
            if (row := known.get(subject)) is not None
            else Entry(subject, partition, restore(subject, {}))
            for subject in subjects
        ]

    async def _rows(
        self, connection: asyncpg.Connection, subjects: Sequence[str]
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

    # Writing.

    async def commit(self, writes: Writes, rows: Mapping[str, Changes]) -> None:
        """Write everything or nothing. Errors: Fenced, and asyncpg's own."""
        async with self.pool.acquire() as connection, connection.transaction(
            isolation="repeatable_read"
        ):
            await self.write(connection, writes, rows)

    async def write(
        self, connection: asyncpg.Connection, writes: Writes, rows: Mapping[str, Changes]
    ) -> None:
        """Write in a transaction of the caller's, which must be REPEATABLE READ or above."""
        await self._stay_live(connection)
        await self._move(connection, writes)
        await self._guard(connection, writes.touched)
        for table, changes in rows.items():
            names = [name for name, _ in self._columns[table]]
            if changes.inserts:
                await connection.copy_records_to_table(
                    table, schema_name=self.schema, columns=names, records=changes.inserts
                )
            if changes.upserts:
                await connection.execute(self._upserts[table], *_by_column(changes.upserts))
        await self._learned(connection, writes)
        await self._parked(connection, writes)
        await self.append(connection, writes.events)

    async def append(self, connection: asyncpg.Connection, events: Sequence[Event]) -> None:
        """Append events to the outbox, in order, and wake the relay."""
        if not events:
            return
        if self.concluded is not None:
            self.concluded += events
            return
        await connection.copy_records_to_table(
            "events",
            schema_name="tertib",
            columns=("topic", "key", "event_id", "type", "payload"),
            records=events,
        )
        await connection.execute(WAKE_RELAY)

    async def _stay_live(self, connection: asyncpg.Connection) -> None:
        """Write the live set only: a writer that missed a switch would write into the past."""
        if self.concluded is not None:
            return
        if not await connection.fetchval(
            "SELECT live FROM tertib.table_set WHERE schema = $1 FOR SHARE", self.schema
        ):
            raise Fenced(f"{self.schema} is no longer the live table set")

    async def _move(self, connection: asyncpg.Connection, writes: Writes) -> None:
        """Compare and set the cursors: a writer that was overtaken writes nothing."""
        moves = [
            (topic, number, *writes.bases[topic, number], *to)
            for (topic, number), to in writes.cursors.items()
        ]
        if not moves:
            return
        done = await connection.execute(
            f"UPDATE {self.schema}.cursors c SET next_offset = m.after, last_subject = m.subject,"
            " broadcast = m.broadcast FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[],"
            " $5::bigint[], $6::bigint[], $7::text[], $8::bigint[])"
            " AS m(topic, partition, before, before_subject, epoch, after, subject, broadcast)"
            " WHERE c.topic = m.topic AND c.partition = m.partition AND c.epoch = m.epoch"
            " AND c.next_offset = m.before AND c.last_subject = m.before_subject",
            *_by_column(moves),
        )
        if done != f"UPDATE {len(moves)}":
            raise Fenced(f"{done} of {len(moves)} cursors")

    async def _guard(self, connection: asyncpg.Connection, touched: Iterable[Entry]) -> None:
        """Write every subject's row where it still is as it was read."""
        new, old = [], []
        for entry in touched:
            heard = msgspec.json.encode(entry.heard).decode()
            row = (entry.subject, entry.partition, entry.version, entry.last_seq, heard, entry.parked)
            (old if entry.version else new).append(row)
            entry.version += 1
        if new:
            rows = [(s, p, v + 1, q, h, k) for s, p, v, q, h, k in new]
            try:
                await connection.copy_records_to_table(
                    "subjects", schema_name=self.schema, records=rows
                )
            except asyncpg.UniqueViolationError as error:
                raise Fenced("a new subject is there already") from error
        if old:
            done = await connection.execute(
                f"UPDATE {self.schema}.subjects s SET version = s.version + 1, last_seq = r.seq,"
                " heard = r.heard, parked = r.parked FROM unnest($1::text[], $2::int[],"
                " $3::bigint[], $4::bigint[], $5::text[], $6::boolean[])"
                " AS r(subject, partition, version, seq, heard, parked)"
                " WHERE s.subject = r.subject AND s.version = r.version",
                *_by_column(old),
            )
            if done != f"UPDATE {len(old)}":
                raise Fenced(f"{done} of {len(old)} subjects")

    async def _learned(self, connection: asyncpg.Connection, writes: Writes) -> None:
        """Keep broadcasts as rows, whole, once for the table set."""
        if not writes.broadcasts:
            return
        rows = [(number, *rest) for number, rest in sorted(writes.broadcasts.items())]
        await connection.execute(
            f"INSERT INTO {self.schema}.broadcasts SELECT * FROM"
            " unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[])"
            " ON CONFLICT (broadcastseq) DO NOTHING",
            *_by_column(rows),
        )
        other: int | None = await connection.fetchval(
            f"SELECT min(b.broadcastseq) FROM {self.schema}.broadcasts b"
            " JOIN unnest($1::bigint[], $2::bytea[]) AS r(broadcastseq, value)"
            " USING (broadcastseq) WHERE b.value <> r.value",
            [row[0] for row in rows],
            [row[3] for row in rows],
        )
        if other is not None:
            raise Halt(f"broadcast {other} has other bytes in another partition")

    async def _parked(self, connection: asyncpg.Connection, writes: Writes) -> None:
        if not writes.parked:
            return
        await connection.executemany(
            f'INSERT INTO {self.schema}.parked (subject, topic, partition, "offset", value,'
            " headers, broadcast, reference, reason, error)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            [
                (p.subject, p.topic, p.partition, p.offset, p.value, _headers(p.headers),
                 p.broadcast, p.reference, p.reason, p.error)
                for p in writes.parked
            ],
        )  # fmt: skip
        topic = parked_topic(self.projection)
        await self.append(
            connection,
            [
                (topic, p.subject, f"{p.topic}/{p.partition}/{p.offset}", PARKED, p.value or b"")
                for p in writes.parked
                if p.reference is None
            ],
        )

    async def stop(self, topic: str, number: int, epoch: int, reason: str) -> None:
        """Say in the cursor's row why a partition stands still."""
        await self.pool.execute(
            f"UPDATE {self.schema}.cursors SET stopped = $4"
            " WHERE topic = $1 AND partition = $2 AND epoch = $3",
            topic,
            number,
            epoch,
            reason,
        )


def parked_topic(projection: Projection[Any, Any]) -> str:
    """Name the topic that mirrors what a projection could not apply."""
    return f"{projection.name}.parked.v1"


def _upsert(schema: str, table: Any, columns: Sequence[tuple[str, str]]) -> str:
    names = [f'"{name}"' for name, _ in columns]
    keys = [f'"{column.name}"' for column in table.primary_key]
    arrays = ", ".join(f"${n}::{kind}[]" for n, (_, kind) in enumerate(columns, start=1))
    sets = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    return (
        f"INSERT INTO {schema}.{table.name} ({', '.join(names)}) SELECT * FROM unnest({arrays})"
        f" ON CONFLICT ({', '.join(keys)}) DO " + (f"UPDATE SET {sets}" if sets else "NOTHING")
    )


def _by_column(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _headers(headers: Iterable[tuple[str, bytes]]) -> str:
    return json.dumps([[name, value.decode("latin-1")] for name, value in headers])


def _kind(type_: str) -> type[Fact]:
    return BY_TYPE[type_]
