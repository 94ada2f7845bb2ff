"""Commands on a subject that a runner writes as well: one of them reads again, neither is lost."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import msgspec
import pytest

from shared.events.base import NewEvent
from shared.runtime.consumer.runner import Runner
from shared.runtime.limits import Limits
from shared.runtime.parking import queries, queue
from shared.runtime.processing.command_handler import (
    Command,
    SubjectParkedError,
    UnknownSubjectError,
    handle,
    handle_together,
)
from shared.runtime.processing.stamping import Times
from tests.kit.flow import PARTITIONS, Log
from tests.kit.toy import Known, Sum, Toy
from tests.kit.toy_facts import REGENCY, check_in, registered

NOW = "2026-02-01T09:00:00+08:00"
TIMES = Times(NOW, NOW, causationid="form-1", actor="official-1")
COMMANDS = 40
FACTS = 60


class RefusedError(Exception):
    """What a command says when its rule forbids it."""


@pytest.fixture
async def log(bootstrap: str, topic_prefix: str) -> Log:
    made = Log(bootstrap, topic_prefix)
    await asyncio.to_thread(made.create, "facts", "facts.events")
    return made


@pytest.fixture
async def runner(log: Log, database: str) -> AsyncIterator[Runner]:
    """Give a runner that others write beside: nothing stays in its memory."""
    toy = Toy(f"{log.prefix}facts", f"{log.prefix}sums", commands=True)
    limits = Limits(partitions=PARTITIONS, batch=5, session_ms=3_000)
    made = Runner(toy, log.bootstrap, database, limits)
    await made.start()
    yield made
    await made.stop()


async def caught_up(log: Log, runner: Runner) -> None:
    async with asyncio.timeout(60):
        await runner.caught_up(log.ends(runner.projection))


def give(runner: Runner, amount: int) -> Any:
    """Give a command that adds an amount."""
    toy = runner.projection
    assert isinstance(toy, Toy)

    def act(state: Sum, last_seq: int) -> Sequence[NewEvent]:
        del last_seq
        return toy.add(state, amount, REGENCY, "form-1", Known())

    return act


async def said_of(database: str, subject: str) -> list[dict[str, Any]]:
    """Give the events of a subject in the order of their commits."""
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch(
            "SELECT payload FROM tertib.events WHERE key = $1 AND topic LIKE '%.events'"
            " ORDER BY xid, id",
            subject,
        )
    finally:
        await connection.close()
    return [msgspec.json.decode(row["payload"]) for row in rows]


async def test_commands_and_facts_of_one_subject_are_all_written(
    log: Log, runner: Runner, database: str
) -> None:
    """Fault k of the list: both write one row at the same time, again and again."""
    log.publish_everywhere("facts", registered(1))
    log.publish("facts", [check_in("p", 0, 1)])
    await caught_up(log, runner)
    misses = 0

    async def command() -> None:
        nonlocal misses
        tries = 0

        def act(state: Sum, last_seq: int) -> Sequence[NewEvent]:
            nonlocal tries
            tries += 1
            told: Sequence[NewEvent] = give(runner, 1_000)(state, last_seq)
            return told

        await handle(runner.store, "p", act, TIMES)
        misses += tries - 1

    async def commands() -> None:
        for _ in range(COMMANDS // 4):
            await asyncio.gather(*(command() for _ in range(4)))

    facts = [check_in("p", number, 1) for number in range(1, FACTS)]
    await asyncio.gather(commands(), asyncio.to_thread(log.publish, "facts", facts))
    await caught_up(log, runner)

    said = await said_of(database, "p")
    assert [each["subjectseq"] for each in said] == list(range(1, FACTS + COMMANDS + 1))
    assert said[-1]["data"]["late_minutes"] == FACTS + 1_000 * COMMANDS
    assert sum("actor" in each for each in said) == COMMANDS
    assert misses + runner.progress.refused > 0, "nobody was in anybody's way"


async def test_a_refused_command_writes_nothing(log: Log, runner: Runner, database: str) -> None:
    log.publish_everywhere("facts", registered(1))
    log.publish("facts", [check_in("p", 0, 1)])
    await caught_up(log, runner)
    before = await said_of(database, "p")

    def act(state: Sum, last_seq: int) -> Sequence[NewEvent]:
        give(runner, 5)(state, last_seq)
        raise RefusedError

    with pytest.raises(RefusedError):
        await handle(runner.store, "p", act, TIMES)

    assert await said_of(database, "p") == before
    await handle(runner.store, "p", give(runner, 7), TIMES)
    assert (await said_of(database, "p"))[-1]["data"]["late_minutes"] == 1 + 7


async def test_a_told_event_says_who_and_when(log: Log, runner: Runner, database: str) -> None:
    log.publish_everywhere("facts", registered(1))
    log.publish("facts", [check_in("p", 0, 1)])
    await caught_up(log, runner)

    await handle(runner.store, "p", give(runner, 1), TIMES)

    event = (await said_of(database, "p"))[-1]
    assert event["id"] == "/attendance/p@2"
    assert (event["time"], event["recordedtime"]) == (NOW, NOW)
    assert (event["causationid"], event["correlationid"]) == ("form-1", "form-1")
    assert event["actor"] == "official-1"


async def test_nobody_decides_on_half_of_the_facts(log: Log, runner: Runner) -> None:
    """A parked subject is not for commands, and one that was never heard of neither."""
    log.publish_everywhere("facts", registered(1))
    log.publish("facts", [check_in("p", 0, 1), check_in("p", 1, "contradiction")])
    await caught_up(log, runner)

    with pytest.raises(SubjectParkedError):
        await handle(runner.store, "p", give(runner, 1), TIMES)
    with pytest.raises(UnknownSubjectError):
        await handle(runner.store, "nobody", give(runner, 1), TIMES)

    (row,) = await queries.listed(runner.store)
    assert await queue.discard(runner.store, "p", row["id"], "untrue", "official-1")
    await handle(runner.store, "p", give(runner, 1), TIMES)


async def test_several_commands_go_in_one_transaction(
    log: Log, runner: Runner, database: str
) -> None:
    """Two of one subject one after the other; who is not for commands holds up nobody."""
    log.publish_everywhere("facts", registered(1))
    first = [check_in(who, 0, 1) for who in ("p", "q", "r")]
    log.publish("facts", [*first, check_in("r", 1, "contradiction")])
    await caught_up(log, runner)
    wanted = (("p", 5), ("r", 1), ("q", 7), ("nobody", 1), ("p", 2))

    ended = await handle_together(
        runner.store, [Command(who, give(runner, amount), TIMES) for who, amount in wanted]
    )

    assert [type(each).__name__ for each in ended] == [
        "list", "SubjectParkedError", "list", "UnknownSubjectError", "list",
    ]  # fmt: skip
    p, q = await said_of(database, "p"), await said_of(database, "q")
    assert [each["data"]["late_minutes"] for each in p] == [1, 6, 8]
    assert [each["subjectseq"] for each in p] == [1, 2, 3]
    assert [each["data"]["late_minutes"] for each in q] == [1, 8]
    told = [each["id"] for each in (*p[1:], *q[1:])]
    assert len(await transactions_of(database, told)) == 1


async def transactions_of(database: str, ids: Sequence[str]) -> set[int]:
    """Give the transactions in which these events were written."""
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch(
            "SELECT DISTINCT xid::text FROM tertib.events WHERE event_id = ANY($1)"
            " AND topic LIKE '%.events'",
            ids,
        )
    finally:
        await connection.close()
    return {int(row["xid"]) for row in rows}
