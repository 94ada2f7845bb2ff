"""What a service answers when it is asked how it is."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from confluent_kafka import Producer

from shared.events.attendance import ExcuseRevoked
from shared.events.envelope import Envelope, canonical, fact_id, headers_of
from shared.events.structs import as_struct
from shared.local.stack import LocalStack
from shared.runtime.hosting.status import LOOP_SECONDS, OUTBOX_SECONDS
from tests.kit.answering import answering, figure, put_beyond_the_log

READY, NOT_READY = 200, 503
AT = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
FULL_DISK = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'no space is left' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON tests_counting_v1_1.subjects
FOR EACH ROW EXECUTE FUNCTION full_disk();
"""


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
    await put_beyond_the_log(bootstrap, database, topic)

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
    assert stopped == {
        "topic": topic,
        "partition": 1,
        "kind": "log_shorter",
        "reason": "log shorter than the cursor: 7 of 0",
    }


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


async def test_a_database_that_refuses_is_not_away_and_is_named(
    bootstrap: str, database: str, topic: str
) -> None:
    """A column that is gone is gone at the next try as well: it must be seen, not waited out."""
    connection = await asyncpg.connect(database)
    async with answering(bootstrap, database, topic) as asked:
        await asked.claimed()
        await connection.execute("ALTER TABLE tests_counting_v1_1.counts RENAME heard TO was")
        revoke(bootstrap, topic, "E-1")
        refused = await asked.until("/readyz", told_of("every write is refused, "))
        _, whole = await asked.told("/status")

        assert any('UndefinedColumnError: column "heard"' in each for each in refused["reasons"])
        group = whole["groups"]["tests.counting@1"]
        assert 'UndefinedColumnError: column "heard"' in group["refused"]["error"]
        assert group["refused"]["passing"] is False

        await connection.execute("ALTER TABLE tests_counting_v1_1.counts RENAME was TO heard")
        await asked.until("/readyz", lambda status, _: status == READY)
        assert await connection.fetchval("SELECT heard FROM read.counts") == 1
    await connection.close()


async def test_a_service_that_can_read_and_cannot_write_is_not_ready(
    bootstrap: str, database: str, topic: str
) -> None:
    """A disk that is full answers every question (53100); only a run of refusals tells."""
    connection = await asyncpg.connect(database)
    async with answering(bootstrap, database, topic) as asked:
        await asked.claimed()
        await connection.execute(FULL_DISK)
        revoke(bootstrap, topic, "E-1")
        await asked.until("/readyz", told_of("in a row: DiskFullError: no space is left"))

        await connection.execute("DROP TRIGGER full_disk ON tests_counting_v1_1.subjects")
        await asked.until("/readyz", lambda status, _: status == READY)
    await connection.close()


async def test_tables_that_cannot_be_read_are_told_by_status_as_refused(
    bootstrap: str, database: str, topic: str
) -> None:
    connection = await asyncpg.connect(database)
    async with answering(bootstrap, database, topic) as asked:
        await asked.claimed()
        await connection.execute("ALTER TABLE tests_counting_v1_1.parked RENAME TO elsewhere")
        status, told = await asked.told("/status")

        assert status == NOT_READY
        assert told["reasons"][0].startswith("the database refuses: UndefinedTableError: relation")
        assert (await asked.get("/metrics"))[0] == READY
    await connection.close()


def told_of(words: str) -> Callable[[int, dict[str, Any]], bool]:
    """Wait for a 503 with a reason in which these words are."""
    return lambda status, told: (
        status == NOT_READY and any(words in each for each in told["reasons"])
    )


def revoke(bootstrap: str, topic: str, subject: str) -> None:
    """Let something be said of a subject that the projection counts."""
    fact = ExcuseRevoked(employee_id=subject, excuse_id="L-1")
    said = Envelope(
        data=as_struct(fact),
        id=fact_id("tests", subject),
        recordedtime=AT.isoformat(),
        regency="53.01",
        source="/attendance",
        subject=subject,
        time=AT.isoformat(),
        type=ExcuseRevoked.type_name(),
    )
    producer = Producer({"bootstrap.servers": bootstrap})
    headers = headers_of(said.type, said.id)
    producer.produce(topic, canonical(said), subject.encode(), partition=0, headers=headers)
    producer.flush()


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

    active = True

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
        asked.vitals.outboxes["facts"] = Lying(seconds)

        assert (await asked.get("/readyz"))[0] == status
        assert (await asked.told("/status"))[1]["outboxes"]["facts"] == {
            "unsent": True,
            "oldest_seconds": seconds,
            "active": True,
        }


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


async def test_other_paths_and_methods_are_refused(
    bootstrap: str, database: str, topic: str
) -> None:
    async with answering(bootstrap, database, topic, start=False) as asked:
        assert (await asked.get("/nothing"))[0] == 404
        assert (await asked.get("/livez", "POST"))[0] == 405
        assert await asked.get("/livez", "HEAD") == (200, "")
