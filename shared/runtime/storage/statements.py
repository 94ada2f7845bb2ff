"""The SQL of a table set. Every name in it is ours; values are always parameters."""

from collections.abc import Iterable, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Table

from shared.runtime.storage.table_sets import columns_of

_CURSOR = (
    "c.topic, c.partition, c.next_offset, c.last_subject, c.broadcast, c.epoch, c.tail_hash,"
    " c.stopped_kind, c.stopped"
)

_STATEMENTS = {
    # $4: the kinds of halts that a claim forgets.
    "claim": "UPDATE {schema}.cursors c SET epoch = epoch + 1, owner = $3,"
    " stopped = CASE WHEN stopped_kind = ANY($4::text[]) THEN NULL ELSE stopped END,"
    " stopped_kind = CASE WHEN stopped_kind = ANY($4::text[]) THEN NULL ELSE stopped_kind END"
    " FROM unnest($1::text[], $2::int[]) AS w(topic, partition)"
    " WHERE c.topic = w.topic AND c.partition = w.partition RETURNING {cursor}",
    "cursors": "SELECT {cursor} FROM {schema}.cursors c"
    " JOIN unnest($1::text[], $2::int[]) AS w(topic, partition)"
    " ON c.topic = w.topic AND c.partition = w.partition",
    "stop": "UPDATE {schema}.cursors SET stopped_kind = $4, stopped = $5"
    " WHERE topic = $1 AND partition = $2 AND epoch = $3",
    "names": "SELECT partition, subject FROM {schema}.subjects WHERE partition = ANY($1::int[])"
    " ORDER BY subject",
    "broadcasts": "SELECT broadcastseq, type, value FROM {schema}.broadcasts"
    " WHERE broadcastseq > $1 AND broadcastseq <= $2 ORDER BY broadcastseq",
    "subjects": "SELECT subject, partition, version, last_seq, heard, parked"
    " FROM {schema}.subjects WHERE subject = ANY($1)",
    "queue": "SELECT id, value, headers, broadcast, reference, reason, topic, partition,"
    ' "offset" FROM {schema}.parked'
    " WHERE subject = $1 AND state = 'waiting' ORDER BY id",
    "move": "UPDATE {schema}.cursors c SET next_offset = m.after, last_subject = m.subject,"
    " broadcast = m.broadcast, tail_hash = m.tail FROM unnest($1::text[], $2::int[],"
    " $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[],"
    " $9::bytea[]) AS m(topic, partition, before, before_subject, epoch, after, subject,"
    " broadcast, tail) WHERE c.topic = m.topic AND c.partition = m.partition"
    " AND c.epoch = m.epoch AND c.next_offset = m.before AND c.last_subject = m.before_subject",
    "guard": "UPDATE {schema}.subjects s SET version = s.version + 1, last_seq = r.seq,"
    " heard = r.heard, parked = r.parked FROM unnest($1::text[], $2::int[], $3::bigint[],"
    " $4::text[], $5::boolean[], $6::bigint[]) AS r(subject, partition, seq, heard, parked,"
    " version) WHERE s.subject = r.subject AND s.version = r.version",
    "learn": "INSERT INTO {schema}.broadcasts SELECT * FROM"
    " unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[])"
    " ON CONFLICT (broadcastseq) DO NOTHING",
    "other": "SELECT min(b.broadcastseq) FROM {schema}.broadcasts b"
    " JOIN unnest($1::bigint[], $2::bytea[]) AS r(broadcastseq, value)"
    " USING (broadcastseq) WHERE b.value <> r.value",
    "twice": "SELECT r.broadcastseq, b.broadcastseq, b.id FROM {schema}.broadcasts b"
    " JOIN unnest($1::bigint[], $2::text[]) AS r(broadcastseq, id) USING (id)"
    " WHERE b.broadcastseq < r.broadcastseq ORDER BY r.broadcastseq, b.broadcastseq LIMIT 1",
    "park": 'INSERT INTO {schema}.parked (subject, topic, partition, "offset", value, headers,'
    " broadcast, reference, reason, error) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    "settle": "UPDATE {schema}.parked SET state = $2, settled_at = now() WHERE id = $1",
    "fail": "UPDATE {schema}.parked SET attempts = attempts + 1, error = $2 WHERE id = $1",
}  # fmt: skip


@cache
def of(schema: str) -> SimpleNamespace:
    """Give the statements for one schema, by name."""
    said = {name: text.format(schema=schema, cursor=_CURSOR) for name, text in _STATEMENTS.items()}
    return SimpleNamespace(**said)


def upsert(schema: str, table: Table) -> str:
    """Give the statement that writes rows of a table, a parameter a column (an array)."""
    columns = columns_of(table)
    names = [f'"{name}"' for name, _ in columns]
    keys = [f'"{column.name}"' for column in table.primary_key]
    arrays = ", ".join(f"${n}::{kind}[]" for n, (_, kind) in enumerate(columns, start=1))
    sets = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    action = f"UPDATE SET {sets}" if sets else "NOTHING"
    return (
        f"INSERT INTO {schema}.{table.name} ({', '.join(names)})"  # noqa: S608  (our own names)
        f" SELECT * FROM unnest({arrays}) ON CONFLICT ({', '.join(keys)}) DO {action}"
    )


def by_column(rows: Iterable[Sequence[Any]], width: int = 0) -> list[list[Any]]:
    """Turn rows into columns; `width` columns if there is no row."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]
