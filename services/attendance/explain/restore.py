"""Reading a person and the knowledge back from the tables, to explain them."""

from collections.abc import Sequence

import asyncpg
import msgspec

from services.attendance.domain.loaded_days import take_up
from services.attendance.domain.person import Person
from services.attendance.explain.days import Explained, Letters, explain_year
from services.attendance.projection.assessor import Assessor
from services.attendance.projection.rows import restore_day
from shared.runtime.projection import Load, Row
from shared.runtime.settings import Settings
from shared.runtime.storage.read import LiveTables, live_tables

# All days of a person, also those that a fold no longer needs.
_ALL_DAYS = Load("days", "SELECT * FROM {schema}.workdays WHERE subject = ANY($1) ORDER BY day")
_LETTERS = Load(
    "letters",
    "SELECT kind, data, recorded FROM {schema}.facts WHERE subject = ANY($1)"
    " AND kind IN ('ExcuseRecorded', 'ExcuseRevoked') ORDER BY ordinal",
)


async def explained(settings: Settings, employee: str, year: int) -> list[Explained] | None:
    """Explain a year of an employee as known now; None if the id is unknown.

    Everything is read as of one moment: the person, and the broadcasts that were applied.
    """
    assessor = Assessor(forgets=False)
    connection = await asyncpg.connect(settings.database_url("attendance"))
    try:
        async with live_tables(connection, assessor) as tables:
            position = await tables.position_of(employee) if tables is not None else None
            if tables is None or position is None:
                return None
            knowledge = await tables.knowledge(position.broadcast)
            person = await _person(tables, assessor, employee)
            letters = _letters(await tables.rows(_LETTERS, employee))
    finally:
        await connection.close()
    return list(explain_year(person, knowledge, year, letters))


async def _person(tables: LiveTables, assessor: Assessor, employee: str) -> Person:
    """Restore a person with every day in memory."""
    loads = [load for load in assessor.loads if load.name != "workdays"]
    person = assessor.restore(employee, await tables.rows_of(loads, employee))
    for row in await tables.rows(_ALL_DAYS, employee):
        restore_day(person, row)
    take_up(person, 0)
    return person


def _letters(rows: Sequence[Row]) -> Letters:
    """Say when letters were recorded and revoked; the first of each stands."""
    recorded: dict[str, str] = {}
    revoked: dict[str, str] = {}
    times = {"ExcuseRecorded": recorded, "ExcuseRevoked": revoked}
    for kind, data, at in rows:
        times[kind].setdefault(msgspec.json.decode(data)["excuse_id"], at)
    return Letters(recorded, revoked)
