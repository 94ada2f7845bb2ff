"""Into the outbox: what a fold told, and what it could not apply."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from shared.runtime.kafka.headers import headers_text
from shared.runtime.kafka.topics import parked_of
from shared.runtime.processing.write_batch import Parked, WriteBatch
from shared.runtime.storage.schema import EVENTS, OutboxTable

PARKED = "tertib.runtime.RecordParked.v1"


async def copy_events(
    connection: Any, events: Sequence[tuple[Any, ...]], outbox: OutboxTable = EVENTS
) -> None:
    """Append events to an outbox, in order, and wake its relay at the commit.

    Shapes: Event, with the text of more headers behind it or not; in the facts' outbox a key of
    None is a broadcast. Errors: asyncpg's own; OSError if there is no room for the month.
    """
    if not events:
        return
    columns = ("topic", "key", "event_id", "type", "payload", "headers")
    try:
        await connection.copy_records_to_table(
            outbox.name,
            schema_name="tertib",
            columns=columns[: len(events[0])],
            records=events,
        )
    except asyncpg.CheckViolationError as error:
        message = "the outbox has no room for this month"  # Not the events' fault: no parking.
        raise OSError(message) from error
    await connection.execute("SELECT pg_notify($1, '')", outbox.channel)


def dead_letter_events(projection: str, writes: WriteBatch) -> list[tuple[Any, ...]]:
    """Give what the parked topic is told: the original bytes, and the rest as headers."""
    topic = parked_of(projection)
    return [
        (
            topic,
            p.subject,
            f"{p.topic}/{p.partition}/{p.offset}",
            PARKED,
            p.value or b"",
            headers_text(_story(p)),
        )
        for p in writes.parked
        if p.reference is None
    ]


def _story(parked: Parked) -> list[tuple[str, bytes]]:
    facts = {
        "parked_topic": parked.topic,
        "parked_partition": parked.partition,
        "parked_offset": parked.offset,
        "parked_broadcast": parked.broadcast,
        "parked_reason": parked.reason,
        "parked_error": parked.error,
        "parked_null": parked.value is None,
    }
    original = [(f"original_{name}", value or b"") for name, value in parked.headers]
    return [*((name, str(fact).encode()) for name, fact in facts.items()), *original]
