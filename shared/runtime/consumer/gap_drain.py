"""Queues behind a gap are applied by themselves once the missing event has come."""

from collections.abc import Iterable

import structlog

from shared.runtime.parking import queries, queue
from shared.runtime.processing.state import Partition
from shared.runtime.processing.store_port import Store, WriteConflictError
from shared.runtime.storage.failures import UNAVAILABLE
from shared.runtime.storage.store import PostgresStore

log = structlog.get_logger()


async def drain(store: Store, subject: str, group: str) -> None:
    """Apply a queue whose gap was filled. Raises nothing: the next claim looks at it again."""
    try:
        await queue.retry(store, subject, "runner")
    except (WriteConflictError, *UNAVAILABLE) as error:
        log.warning("drain_failed", group=group, error=type(error).__name__)


async def drain_claimed(store: PostgresStore, claimed: Iterable[Partition], group: str) -> None:
    """Apply queues whose gap is filled: the member before may have died before doing it."""
    try:
        for subject in await queries.behind_a_gap(store, [part.number for part in claimed]):
            await drain(store, subject, group)
    except UNAVAILABLE as error:
        log.warning("drain_failed", group=group, error=type(error).__name__)
