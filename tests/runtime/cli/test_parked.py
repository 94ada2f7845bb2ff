"""`tertib parked` as an operator uses it, on a database of its own."""

import asyncio

import asyncpg
import pytest
from typer.testing import CliRunner

from services.discipline.projections import Cases
from shared.runtime.cli.parked import app
from shared.runtime.processing.halt import Halt
from shared.runtime.processing.state import Cursor
from shared.runtime.storage import table_sets
from shared.runtime.storage.outbox_sink import LiveOutbox
from shared.runtime.storage.store import PostgresStore

BRAKE = Halt("brake", "20 records parked in a row")
CASES = Cases()
PLACE = CASES.topics[0], 0


async def _claimed(database: str, halt: Halt | None = None) -> Cursor:
    """Claim a partition; give its cursor. If a halt is given, it stops before."""
    async with asyncpg.create_pool(database, min_size=1, max_size=1) as pool:
        async with pool.acquire() as connection:
            schema = await table_sets.ensure(connection, CASES, 1)
        store = PostgresStore(pool, CASES, schema, LiveOutbox())
        if halt is not None:
            (cursor,) = await store.claim([PLACE], "member")
            await store.stop(cursor, halt)
        (cursor,) = await store.claim([PLACE], "member")
        return cursor


def test_resume_lets_a_partition_go_on_that_the_brake_stopped(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim alone does not; the command says how many may go on."""
    monkeypatch.setenv("TERTIB_KAFKA_BOOTSTRAP", "127.0.0.1:1")  # Told, and not asked.
    monkeypatch.setenv("TERTIB_DISCIPLINE_DATABASE_URL", database)
    monkeypatch.setenv("TERTIB_KAFKA_BOOTSTRAP", "127.0.0.1:1")  # Not asked.
    assert asyncio.run(_claimed(database, BRAKE)).stopped == BRAKE
    done = CliRunner().invoke(app, ["parked", "resume", "discipline"])

    assert done.exit_code == 0
    assert done.output.startswith("1 partitions of discipline may go on")
    assert asyncio.run(_claimed(database)).stopped is None
