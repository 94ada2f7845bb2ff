"""Reading a person and the knowledge back from the tables, to explain them."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from services.attendance.domain.loaded_days import take_up
from services.attendance.domain.person import Person
from services.attendance.explain.days import Explained, Letters, explain_year
from services.attendance.projection.assessor import Assessor
from services.attendance.projection.rows import restore_day
from shared.runtime.settings import Settings
from shared.runtime.storage.store import PostgresStore
from shared.runtime.storage.table_sets import live_schema


async def explained(settings: Settings, employee: str, year: int) -> list[Explained] | None:
    """Explain a year of an employee as it stands; None if nothing was ever heard of that id.

    Everything is read as of one moment: the person, and the broadcasts that were applied to him.
    """
    pool = await asyncpg.create_pool(settings.database_url("attendance"), min_size=1, max_size=2)
    try:
        async with (
            pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            return await _explained(pool, connection, employee, year)
    finally:
        await pool.close()


async def _explained(
    pool: asyncpg.Pool, connection: asyncpg.Connection, employee: str, year: int
) -> list[Explained] | None:
    assessor = Assessor(forgets=False)
    schema = await live_schema(connection, assessor.name)
    if schema is None:
        return None
    row = await connection.fetchrow(
        f"SELECT s.partition, c.broadcast FROM {schema}.subjects s"  # noqa: S608  (our own name)
        f" JOIN {schema}.cursors c USING (partition) WHERE s.subject = $1",
        employee,
    )
    if row is None:
        return None
    store = PostgresStore(pool, assessor, schema)
    knowledge = await store.knowledge(row["broadcast"])
    person = await _person(connection, assessor, schema, employee)
    known = await connection.fetch(
        f"SELECT kind, data, recorded FROM {schema}.facts"  # noqa: S608  (our own name)
        " WHERE subject = $1 AND kind IN ('ExcuseRecorded', 'ExcuseRevoked') ORDER BY ordinal",
        employee,
    )
    return list(explain_year(person, knowledge, year, _letters(known)))


async def _person(
    connection: asyncpg.Connection, assessor: Assessor, schema: str, employee: str
) -> Person:
    """Restore a person with every day at hand."""
    rows: dict[str, Sequence[tuple[Any, ...]]] = {}
    for load in assessor.loads:
        if load.name == "workdays":
            continue
        found = await connection.fetch(load.sql.format(schema=schema), [employee])
        rows[load.name] = [tuple(each) for each in found]
    person = assessor.restore(employee, rows)
    days = await connection.fetch(
        f"SELECT * FROM {schema}.workdays WHERE subject = $1 ORDER BY day",  # noqa: S608  (ours)
        employee,
    )
    for each in days:
        restore_day(person, tuple(each))
    take_up(person, 0)
    return person


def _letters(rows: Sequence[asyncpg.Record]) -> Letters:
    """Say when letters were recorded and revoked; the first of each stands."""
    recorded: dict[str, str] = {}
    revoked: dict[str, str] = {}
    times = {"ExcuseRecorded": recorded, "ExcuseRevoked": revoked}
    for row in rows:
        times[row["kind"]].setdefault(
            msgspec.json.decode(row["data"])["excuse_id"], row["recorded"]
        )
    return Letters(recorded, revoked)
