"""The start of a service whose database was lost, or restored from a backup.

Its own topics have all that it published. If its database has less, the log is folded from the
beginning without publishing, as a rebuild does: everything published must be concluded again byte
for byte; what is not published yet goes into the outbox when all is equal, and numbers continue
from there. If anything differs, the service does not start: it never publishes other bytes under a
known id (decision 0022).
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import asyncpg
import structlog

from shared.errors import CannotRunError
from shared.runtime import gc_tuning
from shared.runtime.kafka.partition_reader import PartitionReader
from shared.runtime.kafka.records import head_of
from shared.runtime.limits import Limits
from shared.runtime.projection import Projection
from shared.runtime.rebuild import unsaid_events
from shared.runtime.rebuild.partition_lanes import Task
from shared.runtime.rebuild.published_log import ends_of
from shared.runtime.rebuild.reference import TopicsAlone
from shared.runtime.rebuild.refolding import Done, Refolding, Report
from shared.runtime.storage import schema, table_sets
from shared.runtime.storage.schema import EVENTS

LOCK_SECONDS = 0.5
LOOKED_AT = 100  # Events at the end of a partition: a relay that dies repeats some.

log = structlog.get_logger()


class PublishedDiffersError(CannotRunError):
    """Another version published what is on the topics; the message says where they differ."""


async def recover(  # noqa: PLR0913, PLR0917  (each with a good default)
    projection: Projection[Any, Any],
    bootstrap: str,
    database_url: str,
    progress: Callable[[Done], None] = lambda _: None,
    limits: Limits | None = None,
    workers: int = 1,
) -> Report | None:
    """Bring a projection's tables up to what its topics hold; None: they are not behind.

    To be called before anything of the service writes. Who comes second waits. Errors:
    PublishedDiffersError: nothing was changed. CannotRunError if the log is not whole, or a
    partition stops in it.
    """
    if not _topics_of(projection):
        return None
    connection = await asyncpg.connect(database_url, timeout=30)
    pool = await asyncpg.create_pool(database_url, min_size=0, max_size=4)
    try:
        async with connection.transaction():
            await schema.prepare(connection)
        await _locked(connection, projection.name)
        bounds = limits or Limits()
        if not await _is_behind(connection, projection, bootstrap, bounds):
            return None
        gc_tuning.settle()
        async with connection.transaction():
            new = await table_sets.create(connection, projection, bounds.partitions)
            await unsaid_events.prepare(connection, new)
        task = Task(projection, bootstrap, database_url, bounds, TopicsAlone(), new)
        return await _recovered(task, connection, pool, progress, workers)
    finally:
        connection.terminate()  # And with it the lock.
        await pool.close()


async def _locked(connection: asyncpg.Connection, name: str) -> None:
    """Wait until no other process recovers this projection."""
    # Asked repeatedly: a statement that waits would hold the oldest snapshot back.
    while True:
        if await connection.fetchval(
            "SELECT pg_try_advisory_lock(hashtext('tertib.recovery'), hashtext($1))", name
        ):
            return
        await asyncio.sleep(LOCK_SECONDS)


async def _recovered(
    task: Task,
    connection: asyncpg.Connection,
    pool: asyncpg.Pool,
    progress: Callable[[Done], None],
    workers: int,
) -> Report:
    name, new = task.projection.name, task.new
    refolding = Refolding(task, pool, progress, workers)
    log.warning("database_behind_topics", projection=name, topics=_topics_of(task.projection))
    done = False
    try:
        await refolding.run(await asyncio.to_thread(_records, task))
        report = refolding.finished()
        if report.differences:
            message = (
                f"{name}: what it has said is not what this code concludes from the log, and its"
                f" tables are lost or older than {', '.join(_topics_of(task.projection))}:"
                f" {report.differences[0]}. Nothing was changed or sent. Start the version that"
                " said it, or restore a newer backup"
            )
            raise PublishedDiffersError(message)
        async with connection.transaction():
            await table_sets.switch(connection, task.projection, new)
            said = await _say(connection, new)
            await table_sets.drop_others(connection, name)  # Also of a start that was killed.
        done = True
    finally:
        if not done:
            with suppress(asyncpg.InterfaceError):  # The connection is gone: the next start drops.
                async with pool.acquire() as other, other.transaction():
                    await table_sets.drop(other, new)
    log.info("database_recovered", projection=name, records=report.records,
             compared=report.events, unsaid=said, seconds=round(report.seconds, 1))  # fmt: skip
    return report


async def _say(connection: asyncpg.Connection, schema: str) -> int:
    """Put them into the outbox, in the caller's transaction; give how many there were."""
    names = ", ".join(unsaid_events.COLUMNS)
    done: str = await connection.execute(
        f"INSERT INTO tertib.events ({names}) SELECT {names} FROM {schema}.unsaid ORDER BY id"  # noqa: S608  (our own names)
    )
    await connection.execute(f"DROP TABLE {schema}.unsaid")
    await connection.execute("SELECT pg_notify($1, '')", EVENTS.channel)
    return int(done.rpartition(" ")[2])


async def _is_behind(
    connection: asyncpg.Connection,
    projection: Projection[Any, Any],
    bootstrap: str,
    limits: Limits,
) -> bool:
    """Say whether a topic of the projection holds what its live tables do not know of.

    Commits are published in their order, so the end of each partition tells. It is read before the
    tables: another process commits its events before it publishes them.
    """
    latest = await asyncio.to_thread(_latest_numbers, projection, bootstrap, limits.partitions)
    live = await table_sets.live_schema(connection, projection.name)
    if live is None:
        return bool(latest)
    version = await connection.fetchval(
        "SELECT version FROM tertib.table_set WHERE schema = $1", live
    )
    if version != projection.version:
        return False  # The start refuses that, with a message.
    rows = await connection.fetch(
        f"SELECT subject, last_seq FROM {live}.subjects WHERE subject = ANY($1)",  # noqa: S608  (our own name)
        list(latest),
    )
    known = {row["subject"]: row["last_seq"] for row in rows}
    return any(number > known.get(subject, 0) for subject, number in latest.items())


def _topics_of(projection: Projection[Any, Any]) -> list[str]:
    """Name the topics on which a projection, or its commands, tell."""
    return sorted({kind.TOPIC for kind in (*projection.says, *projection.tells)})


def _latest_numbers(
    projection: Projection[Any, Any], bootstrap: str, partitions: int
) -> dict[str, int]:
    """Give the numbers of the last events of every partition, by subject. Blocks."""
    found: dict[str, int] = {}
    reading = PartitionReader(bootstrap)
    try:
        for value in _last_values(reading, projection, partitions):
            head = head_of(value)
            found[head.subject] = max(head.subjectseq, found.get(head.subject, 0))
    finally:
        reading.close()
    return found


def _last_values(
    reading: PartitionReader, projection: Projection[Any, Any], partitions: int
) -> Iterator[bytes]:
    for topic in _topics_of(projection):
        for number in range(partitions):
            begin, end = ends_of(reading, (topic, number))
            yield from reading.values((topic, number), max(begin, end - LOOKED_AT), end)


def _records(task: Task) -> int:
    """Count the records that are to be folded. Blocks."""
    reading = PartitionReader(task.bootstrap)
    try:
        return sum(
            ends_of(reading, (topic, number))[1]
            for topic in task.projection.topics
            for number in range(task.limits.partitions)
        )
    finally:
        reading.close()
