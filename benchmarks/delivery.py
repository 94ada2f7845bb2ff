"""From a check-in to the notice in somebody's inbox: three services, live, on a stack of its own.

Everybody stayed away for three workdays, so a threshold is reached; then a check-in of one of
these days comes late, the threshold falls, and the person is told. That is the way of a notice
from a device to a person: assessor, relay, planner, sender, a transaction of PostgreSQL in each.
"""

import asyncio
import time
from collections.abc import Iterator
from datetime import date
from statistics import median
from typing import NamedTuple

import asyncpg
from confluent_kafka import Producer

from benchmarks.facts import FIRST, Record, Story, late_check_in
from benchmarks.stage import PATIENCE, Log, Stage, send
from shared.events.attendance import FACTS
from shared.local.commands import installed_services
from shared.local.stack import LocalStack

DAYS = 14  # Three workdays of absence, and the evidence window of the third.
ABSENT = (FIRST, date(2026, 1, 2), date(2026, 1, 5))
LOOK_SECONDS = 0.002


class Delivery(NamedTuple):
    """Seconds until a notice lies in an inbox.

    `median`, `slowest`: of late check-ins, one after the other. `crowd`: of a closing by which all
    the people reach a threshold, until the last of them is told.
    """

    median: float
    slowest: float
    crowd: float


def measure(people: int, late: int) -> Delivery:
    """Tell so many people of a threshold at once, then `late` of them that it fell."""
    with LocalStack.scoped() as stack:
        stage = Stage(stack)
        log = stage.topic(FACTS)
        stack.start_services(installed_services()[0])
        return asyncio.run(_told(stage, log, people, late))


async def _told(stage: Stage, log: Log, people: int, late: int) -> Delivery:
    *before, last = _until_reached(people)
    stage.write(log, before)
    producer = stage.producer()
    producer.list_topics(log.topic)  # Connected before the clock runs.
    connection = await asyncpg.connect(stage.stack.database_url("notifications"))
    try:
        await _heard_of(connection, people)
        crowd = await _seconds_until(connection, producer, last, "threshold-reached", people)
        await _quiet(connection)
        each = [
            await _seconds_until(
                connection, producer, late_check_in(who, FIRST), "threshold-retracted", who + 1
            )
            for who in range(late)
        ]
    finally:
        await connection.close()
    return Delivery(median(each), max(each), crowd)


def _until_reached(people: int) -> Iterator[Record]:
    """Give a log in which nobody comes for three workdays; its last record closes the window."""
    story = Story(people)
    yield from story.begin()
    for _ in range(DAYS):
        if story.on not in ABSENT:
            yield from story.check_ins()
        yield story.closing()


async def _heard_of(connection: asyncpg.Connection, people: int) -> None:
    """Wait until the directory knows everybody: who is told late of people tells them late."""
    await _until(connection, "SELECT count(*) >= $1 FROM read.persons", people)


async def _quiet(connection: asyncpg.Connection) -> None:
    """Wait until nothing is left to be sent."""
    await _until(connection, "SELECT count(*) = $1 FROM read.notices WHERE outcome = 'queued'", 0)


async def _seconds_until(
    connection: asyncpg.Connection, producer: Producer, record: Record, template: str, count: int
) -> float:
    """Write a record, and give the seconds until so many notices of a kind have arrived."""
    began = time.perf_counter()
    send(producer, FACTS, record)
    producer.poll(0)
    await _until(
        connection,
        "SELECT count(*) >= $1 FROM notifications.inbox WHERE template = $2",
        count,
        template,
    )
    return time.perf_counter() - began


async def _until(connection: asyncpg.Connection, question: str, *given: int | str) -> None:
    last = time.monotonic() + PATIENCE
    while not await connection.fetchval(question, *given):
        if time.monotonic() > last:
            raise RuntimeError(f"it never became true: {question}")
        await asyncio.sleep(LOOK_SECONDS)
