"""Writing one subject from outside the runner: a command, or a sender that tells what it did.

The same row guards both: whoever loses reads again (design 4, "one guard for every writer").
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import structlog
from structlog.contextvars import bound_contextvars

from shared.events.base import Told
from shared.runtime.holding import Entry
from shared.runtime.worker import Fenced, Store
from shared.runtime.writes import Times, Writes, stamp

__all__ = ["SubjectParked", "Times", "UnknownSubject", "guarded", "handle"]

TRIES = 12  # Under contention on one subject the second or third try wins; twelve is a bug.
PAUSE = 0.002  # Seconds, doubled with each miss; at random, or the same writer loses each time.

log = structlog.get_logger()

T = TypeVar("T")


class UnknownSubject(LookupError):  # noqa: N818  (what it is)
    """The subject has no row: nothing was ever heard of it."""


class SubjectParked(Exception):  # noqa: N818  (what it is)
    """Facts of the subject wait: nobody concludes or decides on half of them."""


async def handle(
    store: Store,
    subject: str,
    act: Callable[[Any, int], Sequence[Told]],
    cause: Times,
) -> list[Told]:
    """Let `act` change the subject's state and tell what follows, in one guarded transaction.

    `act` gets the state and the last subjectseq; it may be called again, with a fresh state, when
    somebody else was faster. Whatever is logged meanwhile carries the subject and the chain of
    `cause`. Errors: UnknownSubject; SubjectParked; what `act` raises (nothing is then written);
    Fenced after too many tries; those of the store.
    """

    async def once(live: Store) -> list[Told]:
        entry = await _entry(live, subject)
        told = list(act(entry.state, entry.last_seq))
        writes = Writes(touched=[entry])
        source = f"/{live.projection.service}"
        writes.events = [stamp(each, source, entry, cause) for each in told]
        await live.commit(writes, writes.rows(live.projection))
        _account(writes, cause)
        return told

    chain = {
        "causation_id": cause.causationid,
        "correlation_id": cause.correlationid or cause.causationid,
        "actor": cause.actor,
    }
    known = {name: id_ for name, id_ in chain.items() if id_ is not None}
    with bound_contextvars(subject=subject, **known):
        return await guarded(store, once)


async def guarded(store: Store, once: Callable[[Store], Awaitable[T]]) -> T:
    """Read and write a subject; while somebody was faster, do it again. Errors: Fenced."""
    for misses in range(TRIES):
        try:
            return await once(store)
        except Fenced:
            log.info("subject_read_again", tries=misses + 1)
            await asyncio.sleep(random.uniform(0, PAUSE * 2 ** min(misses, 7)))  # noqa: S311  (no secret)
            store = await store.live()
    return await once(store)


def _account(writes: Writes, cause: Times) -> None:
    """Say what somebody's command told.

    One that was no news is not worth a line, nor is what a service tells of its own work: a sender
    tells thousands of deliveries.
    """
    ids = [id_ for _, _, id_, _, _ in writes.events]
    if ids and cause.actor is not None:
        log.info("command_handled", event_id=ids[0], told=len(ids))


async def _entry(store: Store, subject: str) -> Entry:
    (entry,) = await store.entries({subject: 0})
    if not entry.version:
        raise UnknownSubject(subject)
    if entry.parked:
        raise SubjectParked(subject)
    return entry
