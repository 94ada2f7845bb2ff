"""The fixtures that every other test stands on."""

import os
import subprocess
import sys

import asyncpg
import pytest

from tests.local.records import consume, make_topic, produce


def test_a_record_goes_through_the_broker(bootstrap: str, topic_prefix: str) -> None:
    """Acknowledged by the broker, it is read as it was."""
    make_topic(bootstrap, f"{topic_prefix}records")
    produce(bootstrap, f"{topic_prefix}records", b"one")

    assert consume(bootstrap, f"{topic_prefix}records", 1) == [b"one"]


@pytest.mark.usefixtures("stack")
async def test_a_table_is_made_by_an_ordinary_role(database: str) -> None:
    """A test's database belongs to a role that is no superuser, as a service's does."""
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE TABLE days (on_date date PRIMARY KEY)")
    superuser = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = user")
    await connection.close()

    assert superuser is False


async def test_each_test_has_a_database_of_its_own(database: str) -> None:
    """Nothing of the test before is left in it."""
    connection = await asyncpg.connect(database)
    tables = await connection.fetch("SELECT 1 FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()

    assert tables == []


def test_a_session_without_servers_fails() -> None:
    """Nobody answers at the given address: the session ends with an error, not with skips."""
    given = {
        "TERTIB_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "TERTIB_TEST_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    }
    chosen = f"{__file__}::{test_a_record_goes_through_the_broker.__name__}"
    said = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", chosen],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 2
    assert "no Kafka and PostgreSQL to test on: no Kafka answers" in said.stdout + said.stderr
