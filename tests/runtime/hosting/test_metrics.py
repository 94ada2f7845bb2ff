"""The metrics that an operator is woken by, and the page that says for which alert each is."""

import asyncio
import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from confluent_kafka import Producer
from prometheus_client import REGISTRY

from shared.runtime.outbox import relay_status
from shared.runtime.processing.halt import HALT_KINDS
from shared.runtime.storage import table_sets
from tests.kit.answering import PARTITIONS, Asked, answering, figure, put_beyond_the_log

PAGE = (Path(__file__).parents[3] / "docs" / "observing.md").read_text()


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
    await put_beyond_the_log(bootstrap, database, topic)

    async with answering(bootstrap, database, topic) as asked:
        stopped = 'tertib_partitions_stopped{group="tests.counting@1",reason="'
        await until(asked, f'{stopped}log_shorter"', lambda count: count == 1)
        _, figures = await asked.get("/metrics")

    others = [figure(figures, f'{stopped}{kind}"') for kind in HALT_KINDS if kind != "log_shorter"]
    assert others == [0] * (len(HALT_KINDS) - 1)


async def test_a_gap_that_stays_open_is_counted(bootstrap: str, database: str, topic: str) -> None:
    """A number of a subject is lost for a minute: somebody is to be woken (design 3)."""
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
            made = await table_sets.create(connection, asked.runner.projection, PARTITIONS)
        assert figure((await asked.get("/metrics"))[1], name) == 0
        await asked.vitals.pool.execute(
            f"UPDATE {made}.cursors SET next_offset = 3 - partition * 3"  # noqa: S608  (our own name)
        )
        assert figure((await asked.get("/metrics"))[1], name) == 0.75


def test_every_kind_of_halt_is_described() -> None:
    """By the label that it is counted under."""
    (line,) = [
        line for line in PAGE.splitlines() if line.startswith("| `tertib_partitions_stopped")
    ]
    described = re.findall(r"`(\w+)`", line.split("|")[2])

    assert described == ["reason", *HALT_KINDS]


def test_every_metric_is_described_and_nothing_else_is() -> None:
    """A page that names what is not there would wake nobody."""
    assert relay_status.PUBLISHED, "the relay's are to be among them"
    there = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in REGISTRY.collect()
        if family.name.startswith("tertib_")
    }
    described = set(re.findall(r"^\| `(tertib_\w+)", PAGE, re.MULTILINE))
    described |= set(re.findall(r", `(tertib_\w+)\{", PAGE))

    assert described == there
