"""The naive form: one message, one pydantic model, one SQLAlchemy transaction.

It keeps each check-in and the first and last of a person's day, and judges nothing: it does less
than the assessor, so the ratio flatters it. Measured for some seconds: it is slow.
"""

import asyncio
import json
import sys
import time
from typing import Any

from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from pydantic import BaseModel
from sqlalchemy import BigInteger, Column, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.facts import Story
from benchmarks.stage import Stage
from shared.events.attendance import CheckInRecorded

TABLES = MetaData()
PUNCHES = Table(
    "punches",
    TABLES,
    Column("id", Text, primary_key=True),
    Column("employee_id", Text, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
)
DAYS = Table(
    "days",
    TABLES,
    Column("employee_id", Text, primary_key=True),
    Column("on", Text, primary_key=True),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
)


class Heard(BaseModel):
    """What the handler needs of the envelope."""

    id: str
    data: CheckInRecorded


def measure(stage: Stage, seconds: float) -> float:
    """Give messages a second, over so many seconds of a day's check-ins."""
    log, database = stage.topic(), stage.database()
    stage.write(log, Story(5_000).check_ins())
    rate: float = stage.run("naive", log, database=database, seconds=seconds)["rate"]
    return rate


async def handle(settings: dict[str, Any]) -> float:
    """Take a topic, a message at a time."""
    engine = create_async_engine(settings["database"].replace("://", "+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(TABLES.create_all)
    broker = KafkaBroker(settings["bootstrap"], logger=None)
    times: list[float] = []
    first = asyncio.Event()

    @broker.subscriber(
        settings["topic"],
        group_id=f"naive-{settings['topic']}",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.ACK,
    )
    async def heard(body: bytes) -> None:
        first.set()
        fact = Heard.model_validate_json(body)
        at = int(fact.data.occurred_at.timestamp())
        punch = {"id": fact.id, "employee_id": fact.data.employee_id, "occurred_at": at}
        day = {
            "employee_id": fact.data.employee_id,
            "on": fact.data.occurred_at.date().isoformat(),
            "first": at,
            "last": at,
        }
        async with engine.begin() as transaction:
            await transaction.execute(insert(PUNCHES).values(punch).on_conflict_do_nothing())
            statement = insert(DAYS).values(day)
            later = {"last": statement.excluded.last}
            keys = ["employee_id", "on"]
            await transaction.execute(
                statement.on_conflict_do_update(index_elements=keys, set_=later)
            )
        times.append(time.perf_counter())

    await broker.start()
    await first.wait()
    await asyncio.sleep(settings["seconds"])
    await broker.stop()
    await engine.dispose()
    return (len(times) - 1) / (times[-1] - times[0])


if __name__ == "__main__":
    print(json.dumps({"rate": asyncio.run(handle(json.loads(sys.argv[1])))}))  # noqa: T201
