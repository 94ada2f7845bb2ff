"""A rebuild of the running services: nothing is sent, and no reader sees half a state."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from services.attendance.projection.exports import EXPORTS
from shared.runtime.export.tables import Filters, batches
from tests.system.conftest import Mailbox
from tests.system.merging import Merging, own_rows
from tests.system.whole import SERVICES, Place, Row, Whole

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("office")]

TABLES = ("assessments", "thresholds", "proposals", "notices")


@dataclass(frozen=True)
class Seen:
    """What one sees of the whole from outside."""

    tables: dict[str, str]
    ends: dict[Place, int]
    mails: int


@pytest.fixture(scope="module")
def rebuilt(whole: Whole, office: Path, mailbox: Mailbox) -> tuple[Seen, Seen, list[str]]:
    """Rebuild every service; give what was seen before and after, and what was said."""
    del office

    def see() -> Seen:
        tables = {name: whole.tertib("export", name).stdout for name in TABLES}
        return Seen(tables, whole.ends(), len(mailbox.mails()))

    before = see()
    said = [whole.tertib("rebuild", service).stderr for service in SERVICES]
    return before, see(), said


def test_the_same_tables_come_out_and_nothing_is_sent(
    rebuilt: tuple[Seen, Seen, list[str]],
) -> None:
    before, after, said = rebuilt

    assert after == before
    assert before.mails >= 2
    assert all(table.count("\n") > 2 for table in before.tables.values())
    assert all("nothing was sent" in each for each in said)


async def test_who_reads_meanwhile_never_sees_half_a_state(whole: Whole) -> None:
    url = whole.environment()["TERTIB_ATTENDANCE_DATABASE_URL"]
    connection = await asyncpg.connect(url)
    try:
        first = await _read(connection)
        work = asyncio.create_task(
            asyncio.to_thread(whole.tertib, "rebuild", "attendance", "--json")
        )
        seen, sets = 0, set()
        while not work.done():
            assert await _read(connection) == first
            sets.add(await connection.fetchval(LIVE))
            seen += 1
            await asyncio.sleep(0.01)
        await work
        assert await _read(connection) == first
        sets.add(await connection.fetchval(LIVE))
    finally:
        await connection.close()

    assert all(first)
    assert seen > 10
    assert len(sets) == 2, "it was never switched"


async def _read(connection: "asyncpg.Connection[object]") -> list[list[object]]:
    return [
        [row async for rows in batches(connection, export, Filters()) for row in rows]
        for export in EXPORTS
    ]


LIVE = "SELECT schema FROM tertib.table_set WHERE projection = 'attendance.assessor' AND live"


@pytest.mark.usefixtures("rebuilt")
def test_the_services_go_on_with_the_new_tables(
    whole: Whole, office: Path, tmp_path: Path
) -> None:
    """Whoever held the old ones follows by itself: another office comes through whole."""
    Merging(first=90).write(office, tmp_path, "R~")
    whole.backfill(tmp_path)

    for name in TABLES:
        rows = whole.export(name)
        new = [_cells(row) for row in own_rows(rows, "R~")]
        assert sorted(new) == sorted(_cells(row) for row in own_rows(rows, "LTR-")), name
        assert new, name


def _cells(row: Row) -> list[str]:
    """Give what two offices have in common: all but ids."""
    return [cell for name, cell in row.items() if not name.endswith("_id")]
