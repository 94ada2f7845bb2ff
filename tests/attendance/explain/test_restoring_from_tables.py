"""The queries of the assessor on a real PostgreSQL."""

from collections import defaultdict
from pathlib import Path

import asyncpg
from sqlalchemy import MetaData
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from services.attendance.projection.assessor import Assessor
from services.attendance.projection.tables import older
from shared.kernel.local_time import date_of
from shared.runtime.projection import Row
from tests.attendance.previews import log_of
from tests.attendance.restoring import Restoring, Rows
from tests.oracle.datasets import write_dataset

SCHEMA = "cut"


async def make_tables(connection: asyncpg.Connection) -> None:
    await connection.execute(f"CREATE SCHEMA {SCHEMA}")
    for table in Assessor.tables:
        made = CreateTable(table.to_metadata(MetaData(), schema=SCHEMA))
        await connection.execute(str(made.compile(dialect=postgresql.dialect())))  # type: ignore[no-untyped-call]


async def fill(connection: asyncpg.Connection, folding: Restoring) -> None:
    """Put into the tables what they would hold by now."""
    for table in Assessor.tables:
        await connection.execute(f"TRUNCATE {SCHEMA}.{table.name}")
        await connection.copy_records_to_table(
            table.name, schema_name=SCHEMA, records=folding.rows(table.name)
        )


async def loaded(
    connection: asyncpg.Connection, subjects: list[str]
) -> dict[str, dict[str, list[Row]]]:
    found: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for load in Assessor.loads:
        for row in await connection.fetch(load.sql.format(schema=SCHEMA), subjects):
            found[row[0]][load.name].append(tuple(row))
    return found


async def test_people_come_back_from_the_tables_as_from_their_rows(
    database: str, tmp_path: Path
) -> None:
    """What `test_restoring.py` holds of the rows, the queries hold of the tables; at four cuts."""
    through = write_dataset(tmp_path / "dataset", 1, 5, 130)
    facts = list(log_of(tmp_path / "dataset", through))
    folding = Restoring(lambda: False)
    rows = Rows(folding)
    days = lines = 0
    connection = await asyncpg.connect(database)
    try:
        await make_tables(connection)
        for number, fact in enumerate(facts, start=1):
            folding.hear(fact)
            if number % (len(facts) // 4) != 0:
                continue
            await fill(connection, folding)
            found = await loaded(connection, sorted(folding.states))
            for subject in folding.states:
                expected = Assessor().restore(subject, rows.loads(subject))
                assert Assessor().restore(subject, found[subject]) == expected
                lines, days = lines + len(expected.lines), days + len(expected.days)
                await hold_older(connection, rows, subject, expected.floor)
    finally:
        await connection.close()

    assert lines > len(folding.states)
    assert days > 10 * len(folding.states)


async def hold_older(connection: asyncpg.Connection, rows: Rows, subject: str, floor: int) -> None:
    """Hold the query for days that are not in memory to its twin."""
    if not floor:
        return
    first = floor - 20
    load = older(str(date_of(first)), str(date_of(floor)), first)
    found = await connection.fetch(load.sql.format(schema=SCHEMA), [subject])
    assert [tuple(row)[:-1] for row in found] == [
        r[:-1] for r in rows.older(subject, first, floor)
    ]
