"""The tables of a service: what is made once, and the table set of each projection.

Schema `tertib` holds the outbox and the list of table sets. Each table set is a schema of its own,
so that a rebuild can stand beside the live one; readers use the views of schema `read`, which a
switch moves in one transaction.
"""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import MetaData, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from shared.errors import CannotRunError
from shared.runtime.projection import Projection
from shared.runtime.storage.fingerprint import described, refuse_changes
from shared.runtime.storage.schema import Connection, add_made_for, locked, prepare

_RUNNER = """
CREATE SCHEMA {schema};
CREATE TABLE {schema}.cursors (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    last_subject text COLLATE "C" NOT NULL DEFAULT '',
    broadcast bigint NOT NULL DEFAULT 0,
    epoch bigint NOT NULL DEFAULT 0,
    owner text,
    tail_hash bytea,
    stopped text,
    stopped_kind text,
    PRIMARY KEY (topic, partition)
);
CREATE TABLE {schema}.subjects (
    subject text COLLATE "C" PRIMARY KEY,
    partition integer NOT NULL,
    version bigint NOT NULL,
    last_seq bigint NOT NULL,
    heard text NOT NULL,
    parked boolean NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX ON {schema}.subjects (partition);
CREATE INDEX ON {schema}.subjects (partition) WHERE parked;
CREATE TABLE {schema}.broadcasts (
    broadcastseq bigint PRIMARY KEY,
    id text NOT NULL,
    type text NOT NULL,
    value bytea NOT NULL
);
CREATE INDEX ON {schema}.broadcasts (id);  -- Two numbers for one id are a contradiction.
CREATE TABLE {schema}.parked (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text COLLATE "C" NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    value bytea,
    headers text NOT NULL,
    broadcast bigint NOT NULL,
    reference bigint,
    reason text NOT NULL,
    error text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'waiting',
    parked_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz
);
CREATE INDEX ON {schema}.parked (subject, id) WHERE state = 'waiting';
"""


class OtherVersionError(CannotRunError):
    """The live table set was folded by another version of the projection."""


async def live_schema(connection: Connection, projection: str) -> str | None:
    """Give the schema of the live table set of a projection; None before the first."""
    found: str | None = await connection.fetchval(
        "SELECT schema FROM tertib.table_set WHERE projection = $1 AND live", projection
    )
    return found


async def create(connection: Connection, projection: Projection[Any, Any], partitions: int) -> str:
    """Make an empty table set with its first cursors at the beginning of the log; give its schema.

    The first cursors are written here, by decision, and never by a default (kafka.md 5).
    """
    await locked(connection, "tertib.table_set")
    await add_made_for(connection)
    await _refuse_changed_twin(connection, projection)
    base = f"{_plain(projection.name)}_v{projection.version}"
    last = await connection.fetchval(
        "SELECT coalesce(max(substring(schema FROM '[0-9]+$')::int), 0) FROM tertib.table_set"
        " WHERE projection = $1",
        projection.name,
    )
    schema = f"{base}_{last + 1}"
    await connection.execute(_RUNNER.format(schema=schema))
    for table in projection.tables:
        for statement in _creation_of(table, schema):
            await connection.execute(statement)
    await connection.executemany(
        f"INSERT INTO {schema}.cursors (topic, partition, next_offset) VALUES ($1, $2, 0)",
        [(topic, number) for topic in projection.topics for number in range(partitions)],
    )
    await connection.execute(
        "INSERT INTO tertib.table_set (projection, version, schema, live, made_for)"
        " VALUES ($1, $2, $3, false, $4)",
        projection.name,
        projection.version,
        schema,
        described(projection),
    )
    return schema


async def drop(connection: Connection, schema: str) -> None:
    """Drop a table set that is not live."""
    await connection.execute("DELETE FROM tertib.table_set WHERE schema = $1", schema)
    await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


async def drop_others(connection: Connection, projection: str, but: str | None = None) -> None:
    """Drop every table set of a projection that is not live, but for one."""
    rows = await connection.fetch(
        "SELECT schema FROM tertib.table_set WHERE projection = $1 AND NOT live"
        " AND schema IS DISTINCT FROM $2",
        projection,
        but,
    )
    for row in rows:
        await drop(connection, row["schema"])


async def switch(connection: Connection, projection: Projection[Any, Any], schema: str) -> None:
    """Make a table set the live one: the views move with it, in the caller's transaction."""
    await connection.execute(
        "UPDATE tertib.table_set SET live = false WHERE projection = $1 AND live", projection.name
    )
    await connection.execute("UPDATE tertib.table_set SET live = true WHERE schema = $1", schema)
    for table in projection.tables:
        await connection.execute(f"DROP VIEW IF EXISTS read.{table.name}")
        await connection.execute(
            f"CREATE VIEW read.{table.name} AS SELECT * FROM {schema}.{table.name}"
        )
    view = f"read.{_plain(projection.name)}_broadcasts"
    await connection.execute(f"DROP VIEW IF EXISTS {view}")
    await connection.execute(f"CREATE VIEW {view} AS SELECT * FROM {schema}.broadcasts")


async def ensure(connection: Connection, projection: Projection[Any, Any], partitions: int) -> str:
    """Give the live table set, made if this is the first start.

    Errors: OtherVersionError; ChangedWithoutVersionError.
    """
    async with connection.transaction():
        await prepare(connection)
        await locked(connection, "tertib.table_set")
        schema = await live_schema(connection, projection.name)
        if schema is None:
            schema = await create(connection, projection, partitions)
            await switch(connection, projection, schema)
        else:
            await check_version(connection, projection, schema)
            await _add_kinds_of_halts(connection, schema)
            await connection.execute(
                "UPDATE tertib.table_set SET made_for = $2 WHERE schema = $1"
                " AND made_for IS DISTINCT FROM $2",
                schema,
                described(projection),
            )
        return schema


async def _add_kinds_of_halts(connection: Connection, schema: str) -> None:
    """Give a table set of before the column that it lacks: its halts are then of no known kind."""
    there = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM information_schema.columns WHERE table_schema = $1"
        " AND table_name = 'cursors' AND column_name = 'stopped_kind')",
        schema,
    )
    if not there:  # Asked first: ALTER TABLE blocks all writers, even if it changes nothing.
        await connection.execute(f"ALTER TABLE {schema}.cursors ADD COLUMN stopped_kind text")


async def check_version(
    connection: Connection, projection: Projection[Any, Any], schema: str
) -> None:
    """Compare a table set with the code that is to write it.

    Errors: OtherVersionError; ChangedWithoutVersionError.
    """
    version, made_for, today = await connection.fetchrow(
        "SELECT version, made_for, CURRENT_DATE FROM tertib.table_set WHERE schema = $1", schema
    )
    if version != projection.version:
        todo = (
            f"run `tertib rebuild {projection.service}`, then start it again"
            if version < projection.version
            else "a newer release took over: start that one"
        )
        raise OtherVersionError(
            f"{projection.name}@{projection.version}: the live tables are @{version}: {todo}"
        )
    if made_for is not None:
        refuse_changes(projection, made_for, today)


async def _refuse_changed_twin(connection: Connection, projection: Projection[Any, Any]) -> None:
    """Refuse a rebuild of the same version for other tables: readers could not tell them apart."""
    twin = await connection.fetchrow(
        "SELECT made_for, CURRENT_DATE FROM tertib.table_set"
        " WHERE projection = $1 AND live AND version = $2 AND made_for IS NOT NULL",
        projection.name,
        projection.version,
    )
    if twin is not None:
        refuse_changes(projection, *twin)


def columns_of(table: Table) -> Sequence[tuple[str, str]]:
    """Give the names and PostgreSQL types of a table's columns, in order."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped.
    return [
        (column.name, column.type.compile(dialect).split(" COLLATE")[0])
        for column in table.columns
    ]


def _creation_of(table: Table, schema: str) -> list[str]:
    """Give the statements that make a table with its indexes."""
    placed = table.to_metadata(MetaData(), schema=schema)
    indexes = sorted(placed.indexes, key=lambda index: str(index.name))
    parts: list[ExecutableDDLElement] = [
        CreateTable(placed),
        *(CreateIndex(index) for index in indexes),
    ]
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped.
    return [str(part.compile(dialect=dialect)) for part in parts]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower())
