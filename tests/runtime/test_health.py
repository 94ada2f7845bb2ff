"""What a service answers when it is asked how it is."""

import asyncio
import json
import os
import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from prometheus_client import REGISTRY

from shared.local.stack import LocalStack
from shared.runtime import relay, tableset
from shared.runtime.halts import HALTS, kind_of_halt
from shared.runtime.health import HealthServer, application
from shared.runtime.limits import Limits
from shared.runtime.runner import Runner
from shared.runtime.status import LOOP_SECONDS, OUTBOX_SECONDS, Vitals
from tests.runtime.counting import Counting

PARTITIONS = 2
PAGE = (Path(__file__).parents[2] / "docs" / "observing.md").read_text()


@dataclass
class Asked:
    """A service with one projection, and where it answers."""

    vitals: Vitals
    runner: Runner
    topic: str
    address: str

    async def claimed(self) -> None:
        """Wait until every partition is claimed, or stopped."""
        async with asyncio.timeout(30):
            await self.runner.caught_up({(self.topic, n): 0 for n in range(PARTITIONS)})

    async def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        return await asyncio.to_thread(_fetched, self.address + path, method)

    async def told(self, path: str) -> tuple[int, dict[str, Any]]:
        status, body = await self.get(path)
        return status, json.loads(body)


def _fetched(url: str, method: str) -> tuple[int, str]:
    request = urllib.request.Request(url, method=method)  # noqa: S310  (our own address)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  (our own address)
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


@pytest.fixture
def topic(bootstrap: str, topic_prefix: str) -> str:
    name = f"{topic_prefix}facts.v1"
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.create_topics([NewTopic(name, PARTITIONS, 1)]).values():
        future.result(timeout=30)
    return name


@asynccontextmanager
async def answering(
    bootstrap: str, database: str, topic: str, *, start: bool = True, **limits: Any
) -> AsyncIterator[Asked]:
    pool = await asyncpg.create_pool(database, min_size=1, max_size=2)
    bounds = Limits(partitions=PARTITIONS, **limits)
    runner = Runner(Counting(topic), bootstrap, database, bounds)
    vitals = Vitals("tests", pool, [runner])
    server = HealthServer(application(vitals), "127.0.0.1", 0)
    serving = asyncio.create_task(server.run())
    if start:
        await runner.start()
    try:
        yield Asked(vitals, runner, topic, f"http://127.0.0.1:{server.port}")
    finally:
        if start:
            await runner.stop()
        server.stop()
        await serving
        pool.terminate()


async def test_a_service_that_holds_its_partitions_is_ready(
    bootstrap: str, database: str, topic: str
) -> None:
    async with answering(bootstrap, database, topic) as asked:
        await asked.claimed()

        assert await asked.told("/readyz") == (200, {"ok": True, "reasons": []})
        assert await asked.told("/livez") == (200, {"ok": True, "reasons": []})


async def test_a_service_without_partitions_lives_but_is_not_ready(
    bootstrap: str, database: str, topic: str
) -> None:
    """Whoever starts it must be able to tell a slow start from a dead process."""
    async with answering(bootstrap, database, topic, start=False) as asked:
        status, told = await asked.told("/readyz")

        assert (status, told["reasons"]) == (503, ["tests.counting@1: no partition is assigned"])
        assert (await asked.told("/livez"))[0] == 200


async def test_a_stopped_partition_is_named_with_its_reason(
    bootstrap: str, database: str, topic: str
) -> None:
    """The cursor was moved beyond the log: kafka.md 5 stops the partition and says so."""
    async with answering(bootstrap, database, topic) as asked:
        await asked.claimed()
    connection = await asyncpg.connect(database)
    await connection.execute(
        "UPDATE tests_counting_v1_1.cursors SET next_offset = 7 WHERE partition = 1"
    )
    await connection.close()

    async with answering(bootstrap, database, topic) as asked:
        async with asyncio.timeout(30):
            await asked.runner.caught_up({(topic, 0): 0})
            while not asked.runner.progress.stopped:  # noqa: ASYNC110  (the runner tells nobody)
                await asyncio.sleep(0.05)
        status, told = await asked.told("/readyz")
        _, whole = await asked.told("/status")

    assert status == 503
    assert told["reasons"] == [
        f"tests.counting@1: {topic}/1 is stopped: log shorter than the cursor: 7 of 0"
    ]
    (stopped,) = whole["groups"]["tests.counting@1"]["stopped"]
    assert (stopped["topic"], stopped["partition"]) == (topic, 1)


async def test_a_database_that_is_gone_makes_it_unready(
    bootstrap: str, database: str, topic: str
) -> None:
    async with answering(bootstrap, database, topic) as asked:
        await asked.claimed()
        asked.vitals.pool.terminate()
        status, told = await asked.told("/readyz")

        assert status == 503
        assert told["reasons"][0].startswith("the database does not answer")
        assert (await asked.get("/status"))[0] == 503
        assert (await asked.get("/metrics"))[0] == 200


@pytest.mark.system
async def test_brokers_that_are_silent_make_it_unready(
    stack: LocalStack, bootstrap: str, database: str, topic: str
) -> None:
    """The consumer loop turns without brokers as well: a ping of the process would say ready."""
    async with answering(bootstrap, database, topic) as asked:
        await asked.claimed()
        process = stack.kafka.pid(1)
        assert process is not None
        os.kill(process, signal.SIGSTOP)
        try:
            status, told = await asked.told("/readyz")
        finally:
            os.kill(process, signal.SIGCONT)

        assert (status, told["reasons"]) == (
            503,
            ["tests.counting@1: the brokers do not answer"],
        )


async def test_a_loop_that_does_not_turn_is_not_alive(
    bootstrap: str, database: str, topic: str
) -> None:
    async with answering(bootstrap, database, topic, start=False) as asked:
        asked.runner.progress.turned_at = time.monotonic() - LOOP_SECONDS - 1
        status, told = await asked.told("/livez")

        assert status == 503
        assert told["reasons"] == ["tests.counting@1: the consumer loop has not turned for 31 s"]


class Lying:
    """An outbox in which something lies for so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def oldest_unsent_seconds(self) -> float | None:
        return self._seconds


@pytest.mark.parametrize(("seconds", "status"), [(OUTBOX_SECONDS, 200), (OUTBOX_SECONDS + 1, 503)])
async def test_what_lies_in_the_outbox_too_long_makes_it_unready(
    bootstrap: str, database: str, topic: str, seconds: float, status: int
) -> None:
    async with answering(bootstrap, database, topic) as asked:
        await asked.claimed()
        asked.vitals.outbox = Lying(seconds)

        assert (await asked.get("/readyz"))[0] == status
        assert (await asked.told("/status"))[1]["outbox"]["unsent"] is True


async def test_who_is_stopping_is_not_ready(bootstrap: str, database: str, topic: str) -> None:
    """No request is sent to it any more, while it ends what it began."""
    async with answering(bootstrap, database, topic) as asked:
        await asked.claimed()
        asked.vitals.stopping = True

        assert await asked.told("/readyz") == (
            503,
            {"ok": False, "reasons": ["the service is stopping"]},
        )


async def test_status_and_metrics_tell_of_cursors_and_the_parked(
    bootstrap: str, database: str, topic: str
) -> None:
    """Lag alone misses a parked subject: its cursor moves on."""
    producer = Producer({"bootstrap.servers": bootstrap})
    unknown = [("ce_type", b"tertib.nobody.Knows.v1")]
    producer.produce(topic, b"{}", b"E-1", partition=0, headers=unknown)
    producer.flush()

    async with answering(bootstrap, database, topic) as asked:
        async with asyncio.timeout(30):
            await asked.runner.caught_up({(topic, 0): 1, (topic, 1): 0})
        _, told = await asked.told("/status")
        _, figures = await asked.get("/metrics")

    group = told["groups"]["tests.counting@1"]
    assert group["cursors"] == {topic: {"0": 1, "1": 0}}
    assert group["parked"] == {"records": 1, "subjects": 1}
    labels = f'group="tests.counting@1",partition="0",topic="{topic}"'
    assert f"tertib_cursor_lag_records{{{labels}}} 0.0" in figures
    assert 'tertib_parked_subjects{group="tests.counting@1"} 1.0' in figures
    assert 'tertib_parked_records{group="tests.counting@1"} 1.0' in figures
    assert f"tertib_cursor_age_seconds{{{labels}}} 0.0" in figures
    assert 'tertib_projection_version{projection="tests.counting"} 1.0' in figures
    assert (
        figure(figures, f'tertib_events_applied_total{{group="tests.counting@1",topic="{topic}"')
        == 1
    )


def figure(figures: str, name: str) -> float:
    """Give the one figure whose name and labels begin so."""
    (line,) = [line for line in figures.splitlines() if line.startswith(name)]
    return float(line.rpartition(" ")[2])


async def until(asked: Asked, name: str, holds: Callable[[float], bool]) -> None:
    """Ask for the metrics until one of them is as it should be."""
    async with asyncio.timeout(30):
        while not holds(figure((await asked.get("/metrics"))[1], name)):  # noqa: ASYNC110  (another process would do no more)
            await asyncio.sleep(0.05)


async def test_a_cursor_that_stands_grows_older_until_it_moves(
    bootstrap: str, database: str, topic: str
) -> None:
    """Its lag alone does not say whether anybody is at work on it."""
    known = [("ce_type", b"tertib.nobody.Knows.v1")]
    producer = Producer({"bootstrap.servers": bootstrap})
    labels = f'{{group="tests.counting@1",partition="0",topic="{topic}"}}'
    age = f"tertib_cursor_age_seconds{labels}"
    async with answering(bootstrap, database, topic) as asked:
        await asked.claimed()
        connection = await asyncpg.connect(database)
        held = connection.transaction()
        await held.start()
        await connection.execute("SELECT FROM tests_counting_v1_1.cursors FOR UPDATE")
        producer.produce(topic, b"{}", b"E-1", partition=0, headers=known)
        producer.flush()

        await until(asked, f"tertib_cursor_lag_records{labels}", lambda lag: lag == 1)
        await until(asked, age, lambda seconds: seconds > 0.3)
        await held.rollback()
        await connection.close()
        await until(asked, age, lambda seconds: seconds == 0)


async def test_the_age_of_what_is_written_is_told_by_its_own_time(
    bootstrap: str, database: str, topic: str
) -> None:
    """Now minus `recordedtime`: what people wait for, however many records it is."""
    told = datetime.now(UTC) - timedelta(hours=1)
    value = json.dumps({"recordedtime": told.isoformat()}).encode()
    producer = Producer({"bootstrap.servers": bootstrap})
    headers = [("ce_type", b"tertib.nobody.Knows.v1")]
    producer.produce(topic, value, b"E-1", partition=1, headers=headers)
    producer.flush()

    async with answering(bootstrap, database, topic) as asked:
        name = f'tertib_event_time_lag_seconds{{group="tests.counting@1",topic="{topic}"}}'
        await asked.runner.caught_up({(topic, 1): 1})
        await until(asked, name, lambda age: 3_600 <= age < 3_660)


async def test_a_loop_that_is_held_up_is_measured(
    bootstrap: str, database: str, topic: str
) -> None:
    """Heartbeats share the loop: who computes for too long is given up by the group."""
    over = 'tertib_loop_stall_seconds_bucket{group="tests.counting@1",le="0.2"}'
    whole = 'tertib_loop_stall_seconds_count{group="tests.counting@1"}'
    async with answering(bootstrap, database, topic) as asked:
        await asked.claimed()
        _, before = await asked.get("/metrics")
        time.sleep(0.4)  # noqa: ASYNC251  (that is the fault)
        await asyncio.sleep(0.15)
        _, after = await asked.get("/metrics")

    late = [figure(told, whole) - figure(told, over) for told in (before, after)]
    assert late[1] > late[0]


async def test_a_stopped_partition_is_counted_by_the_kind_of_its_reason(
    bootstrap: str, database: str, topic: str
) -> None:
    async with answering(bootstrap, database, topic) as asked:
        await asked.claimed()
    connection = await asyncpg.connect(database)
    await connection.execute(
        "UPDATE tests_counting_v1_1.cursors SET next_offset = 7 WHERE partition = 1"
    )
    await connection.close()

    async with answering(bootstrap, database, topic) as asked:
        stopped = 'tertib_partitions_stopped{group="tests.counting@1",reason="'
        await until(asked, f'{stopped}log_shorter"', lambda count: count == 1)
        _, figures = await asked.get("/metrics")

    others = [figure(figures, f'{stopped}{kind}"') for kind in HALTS if kind != "log_shorter"]
    assert others == [0] * (len(HALTS) - 1)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("brake: 20 in a row", "brake"),
        ("not bootstrapped: there is no cursor for this partition", "not_bootstrapped"),
        ("history lost: the cursor is 3, the log begins at 7", "history_lost"),
        ("log shorter than the cursor: 7 of 3", "log_shorter"),
        ("another log: the record before the cursor is not the same", "another_log"),
        ("broadcast 3 follows 1: a gap", "gap"),
        ("broadcast 3 cannot be learned: ValueError", "broadcast"),
    ],
)
def test_the_kinds_of_halts(reason: str, kind: str) -> None:
    assert kind_of_halt(reason) == kind
    assert kind in HALTS


async def test_a_gap_that_stays_open_is_counted(bootstrap: str, database: str, topic: str) -> None:
    """A number of a subject is lost for a minute: somebody is to be woken (kafka.md 5)."""
    name = 'tertib_sequence_gaps_open{group="tests.counting@1"}'
    async with answering(bootstrap, database, topic, recheck_seconds=0.1) as asked:
        await asked.claimed()
        await until(asked, name, lambda count: count == 0)
        for minutes in (0, 2):
            await asked.vitals.pool.execute(
                'INSERT INTO tests_counting_v1_1.parked (subject, topic, partition, "offset",'
                " headers, broadcast, reason, error, parked_at)"
                " VALUES ('E-1', 'facts', 0, 1, '[]', 0, 'gap', '', now() - $1::interval)",
                timedelta(minutes=minutes),
            )
        await until(asked, name, lambda count: count == 1)


async def test_a_rebuild_under_way_is_seen_from_the_service(
    bootstrap: str, database: str, topic: str
) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for _ in range(4):
        producer.produce(topic, b"", b"E-1", 0, headers=[("ce_type", b"tertib.nobody.Knows.v1")])
    producer.flush()
    name = 'tertib_rebuild_done_ratio{projection="tests.counting",version="1"}'
    async with answering(bootstrap, database, topic) as asked:
        await asked.runner.caught_up({(topic, 0): 4})
        assert name not in (await asked.get("/metrics"))[1]
        async with asked.vitals.pool.acquire() as connection, connection.transaction():
            made = await tableset.create(connection, asked.runner.projection, PARTITIONS)
        assert figure((await asked.get("/metrics"))[1], name) == 0
        await asked.vitals.pool.execute(
            f"UPDATE {made}.cursors SET next_offset = 3 - partition * 3"  # noqa: S608  (our own name)
        )
        assert figure((await asked.get("/metrics"))[1], name) == 0.75


def test_every_metric_is_described_and_nothing_else_is() -> None:
    """A page that names what is not there would wake nobody."""
    assert relay.PUBLISHED, "the relay's are to be among them"
    there = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in REGISTRY.collect()
        if family.name.startswith("tertib_")
    }
    described = set(re.findall(r"^\| `(tertib_\w+)", PAGE, re.MULTILINE))
    described |= set(re.findall(r", `(tertib_\w+)\{", PAGE))

    assert described == there


async def test_other_paths_and_methods_are_refused(
    bootstrap: str, database: str, topic: str
) -> None:
    async with answering(bootstrap, database, topic, start=False) as asked:
        assert (await asked.get("/nothing"))[0] == 404
        assert (await asked.get("/livez", "POST"))[0] == 405
        assert await asked.get("/livez", "HEAD") == (200, "")
