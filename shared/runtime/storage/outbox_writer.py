"""Into the outbox: what a fold told, and the dead letters of what it could not apply."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from shared.runtime.storage.schema import EVENTS, OutboxTable


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
