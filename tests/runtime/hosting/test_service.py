"""A service as a process: it starts in order, and ends in order."""

import asyncio
import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from sqlalchemy import Column, MetaData, Text

from services.attendance.projection.assessor import Assessor
from services.attendance.projection.tables import FACTS
from shared.errors import CannotRunError
from shared.local import ports
from shared.runtime.hosting import service as serving
from shared.runtime.hosting.service import BROKEN, DONE, Running, Service, launched, serve
from shared.runtime.kafka import admin
from shared.runtime.settings import Settings
from shared.runtime.storage import table_sets
from shared.runtime.storage.schema import prepare
from tests.kit.broadcasting import FactTopic, closing, tap
from tests.kit.counting import Counting

COULD_NOT_RUN = 2
ROOT = Path(__file__).parents[3]


class Process:
    """A service that was started as the local stack does it."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, log: Path) -> None:
        self.process = process
        self.log = log
        self.address = f"http://127.0.0.1:{port}"

    @classmethod
    async def start(
        cls, name: str, env: Mapping[str, str], log: Path, port: int | None = None
    ) -> "Process":
        argv, _ = launched(name)
        port = port or ports.choose(1)[0]
        more = {"PYTHONPATH": str(ROOT), "TERTIB_HEALTH_PORT": str(port), "TERTIB_LOG": "json"}
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *argv, env={**os.environ, **env, **more}, stdout=out, stderr=out
            )
        return cls(process, port, log)

    async def ready(self) -> None:
        """Wait until it says so; fail with its log if it ends before."""
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(_is_ready, self.address):
                assert self.process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.1)

    async def ended(self) -> int:
        async with asyncio.timeout(30):
            return await self.process.wait()

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.log.read_text().splitlines()]


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:  # noqa: S310  (our own address)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture
def env(bootstrap: str, database: str) -> dict[str, str]:
    """Tell a service of the servers; one database is enough for what one of them does."""
    return {
        "TERTIB_KAFKA_BOOTSTRAP": bootstrap,
        "TERTIB_KEYRING_URL": database,
        **{
            f"TERTIB_{name}_DATABASE_URL": database
            for name in ("ATTENDANCE", "DISCIPLINE", "NOTIFICATIONS")
        },
    }


@pytest.mark.system
@pytest.mark.parametrize("name", ["attendance", "discipline", "notifications"])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_a_service_becomes_ready_and_stops_when_it_is_told_to(
    env: dict[str, str], tmp_path: Path, name: str, how: signal.Signals
) -> None:
    process = await Process.start(name, env, tmp_path / "log")
    await process.ready()
    process.process.send_signal(how)

    assert await process.ended() == DONE
    events = process.events()
    assert events.index("service_started") < events.index("stop_requested")
    assert events[-1] == "service_stopped"


@pytest.mark.system
async def test_a_service_without_its_database_could_not_run(
    env: dict[str, str], tmp_path: Path
) -> None:
    del env["TERTIB_ATTENDANCE_DATABASE_URL"]
    process = await Process.start("attendance", env, tmp_path / "log")

    assert await process.ended() == COULD_NOT_RUN
    assert process.log.read_text().endswith("TERTIB_ATTENDANCE_DATABASE_URL is not set\n")


def settings(bootstrap: str, database: str) -> Settings:
    return Settings(bootstrap, {"tests": database})


async def test_if_a_part_dies_the_service_ends_and_says_which(
    bootstrap: str, database: str, topic_prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever runs it starts it again: half a service would look like a whole one."""

    async def dying(_: Running) -> None:
        message = "no more"
        raise RuntimeError(message)

    service = Service("tests", [lambda: Counting(f"{topic_prefix}facts.v1")], {"dying": dying})

    assert await serve(service, settings(bootstrap, database)) == BROKEN
    assert "task_died" in capsys.readouterr().out  # Unconfigured, structlog writes there.


async def test_what_was_said_last_is_published_before_the_end(
    bootstrap: str, database: str, topic_prefix: str
) -> None:
    """The relay is ended last, when the outbox is empty."""
    topic = f"{topic_prefix}events.v1"

    async def telling(running: Running) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await running.stopping.wait()
        await running.pool.execute(
            "INSERT INTO tertib.events (topic, key, event_id, type, payload)"
            " SELECT $1, 'E-1', 'e' || n, 'tertib.tests.Told.v1', '{}'"
            " FROM generate_series(1, 500) n",
            topic,
        )

    heard = [f"{topic_prefix}facts.v1", topic]
    service = Service("tests", [lambda: Counting(*heard)], {"telling": telling})

    assert await serve(service, settings(bootstrap, database)) == DONE
    assert await asyncio.to_thread(_count, bootstrap, topic) == 500


async def test_every_process_of_a_service_stands_ready_to_relay_its_facts(
    bootstrap: str, database: str, topic_prefix: str
) -> None:
    """What a door commits last is on the log before the service ends."""
    topic = f"{topic_prefix}facts.v1"

    async def door(running: Running) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await running.stopping.wait()
        async with (
            FactTopic(bootstrap, database, topic).facts() as facts,
            facts.transaction(exclusive={"53.01"}) as tx,
        ):
            await tx.broadcast([closing(1)])
            await tx.publish([tap("E1", 1)])

    service = Service("tests", [], {"door": door}, facts=topic)

    assert await serve(service, settings(bootstrap, database)) == DONE
    assert await asyncio.to_thread(_count, bootstrap, topic) == 24 + 1


async def test_a_service_whose_topic_is_ahead_of_its_table_ends_in_one_line(
    bootstrap: str, database: str, topic_prefix: str
) -> None:
    place = FactTopic(bootstrap, database, f"{topic_prefix}facts.v1")
    await admin.ensure(bootstrap, [place.topic])
    async with place.bulk() as publisher:
        await publisher.broadcast([closing(1)])
    await place.run("DROP SCHEMA tertib CASCADE")
    service = Service("tests", [], facts=place.topic)

    with pytest.raises(
        CannotRunError, match="holds broadcast 1, the table ends with 0"
    ) as refusal:
        await serve(service, settings(bootstrap, database))
    assert "\n" not in str(refusal.value)


def _count(bootstrap: str, topic: str) -> int:
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "never-joined"})
    try:
        ends = [
            reader.get_watermark_offsets(TopicPartition(topic, n), timeout=30) for n in range(24)
        ]
    finally:
        reader.close()
    return sum(end - begin for begin, end in ends)


async def test_a_task_that_does_not_end_is_cut_off_and_the_rest_ends_well(
    bootstrap: str, database: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "GRACE_SECONDS", 0.2)
    cut_off = asyncio.Event()

    async def clinging(_: Running) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        finally:
            cut_off.set()

    service = Service("tests", [lambda: Counting(f"{topic_prefix}facts.v1")], {"one": clinging})

    assert await serve(service, settings(bootstrap, database)) == DONE
    assert cut_off.is_set()


async def test_the_topics_of_a_service_are_made_with_their_partitions_for_life(
    bootstrap: str, database: str, topic_prefix: str
) -> None:
    """Never by a broker's default (design 2): a wrong count cannot be taken back."""
    topic = f"{topic_prefix}facts.v1"

    async def looking(_: Running) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    service = Service("tests", [lambda: Counting(topic)], {"looking": looking})
    assert service.topics() == [topic, "tests.counting.parked.v1"]
    await serve(service, settings(bootstrap, database))

    connection = await asyncpg.connect(database)
    cursors = await connection.fetchval("SELECT count(*) FROM tests_counting_v1_1.cursors")
    await connection.close()
    assert cursors == 24
    assert await asyncio.to_thread(_count, bootstrap, topic) == 0  # All 24 of them answer.


@pytest.mark.system
async def test_a_start_before_tables_of_another_version_ends_at_once_in_a_line(
    env: dict[str, str], database: str, tmp_path: Path
) -> None:
    """No restart would mend it: exit code 2, what to do, and no traceback (issue: bad endings)."""
    await tables_of(database, AnotherVersion())

    process = await Process.start("attendance", env, tmp_path / "log")

    assert await process.ended() == COULD_NOT_RUN
    assert last_line(process) == (
        "attendance.assessor@1: the live tables are @2: a newer release took over: start that one"
    )
    assert "Traceback" not in process.log.read_text()


@pytest.mark.system
async def test_a_member_whose_tables_another_version_took_over_ends_at_once_in_a_line(
    env: dict[str, str], bootstrap: str, database: str, tmp_path: Path
) -> None:
    """It runs, and a rebuild of a newer release switches: it may never write again."""
    process = await Process.start("attendance", env, tmp_path / "log")
    await process.ready()
    await tables_of(database, AnotherVersion())
    producer = Producer({"bootstrap.servers": bootstrap})
    unknown = [("ce_type", b"tertib.nobody.Knows.v1")]
    producer.produce("attendance.facts.v1", b"{}", b"E-1", headers=unknown)
    producer.flush()

    assert await process.ended() == COULD_NOT_RUN
    assert last_line(process).startswith("attendance.assessor@1: the live tables are @2: a newer")
    assert "Traceback" not in process.log.read_text()
    assert "exc_info" not in process.log.read_text()


@pytest.mark.system
async def test_a_start_with_changed_tables_names_the_column_in_a_line(
    env: dict[str, str], database: str, tmp_path: Path
) -> None:
    """The tables were made by another build of the same version: it had one column more."""
    before = Assessor()
    extra = FACTS.to_metadata(MetaData())
    extra.append_column(Column("extra", Text))
    before.tables = (extra, *before.tables[1:])
    await tables_of(database, before)

    process = await Process.start("attendance", env, tmp_path / "log")

    assert await process.ended() == COULD_NOT_RUN
    assert last_line(process) == (
        "attendance.assessor@1 changed without a new version: table facts, column extra is gone."
        " Undo it, or raise `version` and run `tertib rebuild attendance`"
    )


class AnotherVersion(Assessor):
    """The assessor of a release to come."""

    version = 2


async def tables_of(database: str, projection: Assessor) -> None:
    """Let the live tables be those that another build made."""
    connection = await asyncpg.connect(database)
    async with connection.transaction():
        await prepare(connection)
        schema = await table_sets.create(connection, projection, 24)
        await table_sets.switch(connection, projection, schema)
    await connection.close()


def last_line(process: Process) -> str:
    return process.log.read_text().splitlines()[-1]
