"""Compares the topic with the table before anything is sent: no number is given twice."""

import asyncio

import asyncpg
import structlog
from confluent_kafka import KafkaException

from shared.errors import CannotRunError
from shared.runtime.broadcast import known_facts, topic_scan

PAUSE_SECONDS = 1.0

log = structlog.get_logger()


class TopicAheadError(CannotRunError):
    """The topic holds a broadcast that the table does not know: numbers would be given twice."""


class TopicGuard:
    """Looks for numbers beyond the table, from where the topic was searched last (a relay's)."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.bootstrap = bootstrap
        self.topic = topic

    async def check(self, connection: asyncpg.Connection) -> None:
        """Refuse a topic that is ahead of the table; waits for brokers that do not answer.

        Right also while another relay works: a row is committed before it is sent, so the table,
        read after the topic, has everything that a relay sent.
        Errors: TopicAheadError, topic_scan.LogShrunkError; those of the database.
        """
        await known_facts.prepare(connection)
        last = await known_facts.last_number(connection)
        while True:
            begins = await known_facts.scanned_to(connection)
            highest, ends = await self._searched(begins, last)
            if highest <= last:
                await known_facts.note_scanned(connection, ends)
                return
            last = await known_facts.last_number(connection)
            if highest > last:
                message = (
                    f"{self.topic} holds broadcast {highest}, the table ends with {last}: this is"
                    " not the database that wrote the topic, or an older state of it. If that one"
                    " is gone for good, `tertib recover` takes over what the topic holds"
                )
                raise TopicAheadError(message)

    async def note(self, connection: asyncpg.Connection) -> None:
        """Note that the topic holds nothing beyond the table: for who has checked it before."""
        try:
            ends = await asyncio.to_thread(topic_scan.ends_of, self.bootstrap, self.topic)
        except KafkaException as error:
            log.warning("topic_not_looked_at", topic=self.topic, error=str(error))
            return
        await known_facts.note_scanned(connection, ends)

    async def _searched(self, begins: dict[int, int], last: int) -> tuple[int, dict[int, int]]:
        while True:
            try:
                return await asyncio.to_thread(
                    topic_scan.highest_broadcast, self.bootstrap, self.topic, begins, last
                )
            except (KafkaException, TimeoutError) as error:
                log.warning("topic_not_looked_at", topic=self.topic, error=str(error))
                await asyncio.sleep(PAUSE_SECONDS)
