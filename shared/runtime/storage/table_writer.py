"""What one guarded transaction writes into a table set: all of it compared with what was read."""

from collections.abc import Iterable, Mapping
from typing import Any

import asyncpg

from shared.runtime.kafka.headers import headers_text
from shared.runtime.processing.store_port import BroadcastContradictionError, WriteConflictError
from shared.runtime.processing.write_batch import Guard, WriteBatch
from shared.runtime.projection import Changes, Projection
from shared.runtime.storage import statements
from shared.runtime.storage.statements import by_column
from shared.runtime.storage.table_sets import columns_of


class TableWriter:
    """Writes one table set, within a transaction of the caller's."""

    def __init__(self, projection: Projection[Any, Any], schema: str) -> None:
        self._schema = schema
        self._columns = {t.name: [name for name, _ in columns_of(t)] for t in projection.tables}
        self._upserts = {t.name: statements.upsert(schema, t) for t in projection.tables}
        self._said = statements.of(schema)

    async def write(
        self, connection: Any, writes: WriteBatch, rows: Mapping[str, Changes]
    ) -> None:
        """Write all but the events.

        Errors: WriteConflictError, BroadcastContradictionError, asyncpg's.
        """
        await self._move(connection, writes)
        await self._guard(connection, writes.guards)
        await self._write_rows(connection, rows)
        await self._learn(connection, writes)
        await self._park(connection, writes)

    async def _move(self, connection: Any, writes: WriteBatch) -> None:
        """Compare and set the cursors: a writer that was overtaken writes nothing."""
        moves = [
            (*writes.bases[place][:4], to.epoch, *to[2:5], to.tail)
            for place, to in writes.cursors.items()
        ]
        if moves:
            done = await connection.execute(self._said.move, *by_column(moves))
            if done != f"UPDATE {len(moves)}":
                raise WriteConflictError(f"{done} of {len(moves)} cursors")

    async def _guard(self, connection: Any, guards: Iterable[Guard]) -> None:
        """Write every subject's row where it still is as it was read."""
        old = [guard for guard in guards if guard.version]
        new = [(*guard[:-1], 1) for guard in guards if not guard.version]
        if new:
            try:
                await connection.copy_records_to_table(
                    "subjects",
                    schema_name=self._schema,
                    columns=("subject", "partition", "last_seq", "heard", "parked", "version"),
                    records=new,
                )
            except asyncpg.UniqueViolationError as error:
                raise WriteConflictError("a new subject is there already") from error
        if old:
            done = await connection.execute(self._said.guard, *by_column(old))
            if done != f"UPDATE {len(old)}":
                raise WriteConflictError(f"{done} of {len(old)} subjects")

    async def _write_rows(self, connection: Any, rows: Mapping[str, Changes]) -> None:
        for table, changes in rows.items():
            if changes.inserts:
                await connection.copy_records_to_table(
                    table,
                    schema_name=self._schema,
                    columns=self._columns[table],
                    records=changes.inserts,
                )
            if changes.upserts:
                await connection.execute(self._upserts[table], *by_column(changes.upserts))

    async def _learn(self, connection: Any, writes: WriteBatch) -> None:
        """Keep broadcasts as rows, whole, once for the table set."""
        if not writes.broadcasts:
            return
        rows = [(number, *rest) for number, rest in sorted(writes.broadcasts.items())]
        await connection.execute(self._said.learn, *by_column(rows))
        values = by_column([(number, value) for number, _, _, value in rows])
        other = await connection.fetchval(self._said.other, *values)
        if other is not None:
            raise BroadcastContradictionError(
                other, f"broadcast {other} has other bytes in another partition"
            )
        ids = by_column([(number, id_) for number, id_, _, _ in rows])
        twice = await connection.fetchrow(self._said.twice, *ids)
        if twice is not None:
            number, first, id_ = twice
            raise BroadcastContradictionError(
                number, f"broadcasts {first} and {number} have one id: {id_}"
            )

    async def _park(self, connection: Any, writes: WriteBatch) -> None:
        if writes.parked:
            rows = [(*p[:5], headers_text(p.headers), *p[6:]) for p in writes.parked]
            await connection.executemany(self._said.park, rows)
        if writes.settled:
            await connection.executemany(self._said.settle, list(writes.settled.items()))
        if writes.failed:
            await connection.executemany(self._said.fail, list(writes.failed.items()))
