"""Writing one subject from outside the runner: a command, or a sender that tells what it did.

The same row guards both: whoever loses reads again (design 4, "one guard for every writer").
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg

from shared.events.base import Told
from shared.events.envelope import Envelope, canonical, event_id
from shared.runtime.batch import Entry, Writes
from shared.runtime.store import Fenced, Store

TRIES = 8  # Under contention on one subject the second or third try wins; eight is a bug.

T = TypeVar("T")


class UnknownSubject(LookupError):  # noqa: N818  (what it is)
    """The subject has no row: nothing was ever heard of it."""


@dataclass(frozen=True)
class Cause:
    """What a command's events are told to follow from. Times are ISO 8601 with offset."""

    time: str
    recordedtime: str
    causationid: str | None = None
    correlationid: str | None = None
    actor: str | None = None


async def handle(
    store: Store,
    subject: str,
    act: Callable[[Any, int], Sequence[Told]],
    cause: Cause,
) -> list[Told]:
    """Let `act` change the subject's state and tell what follows, in one guarded transaction.

    `act` gets the state and the last subjectseq; it may be called again, with a fresh state, when
    somebody else was faster. Errors: UnknownSubject; what `act` raises (nothing is then written);
    Fenced after too many tries.
    """

    async def once(connection: asyncpg.Connection) -> list[Told]:
        entry = await _entry(store, connection, subject)
        told = list(act(entry.state, entry.last_seq))
        writes = Writes(touched=[entry])
        for event in told:
            entry.last_seq += 1
            writes.events.append(_stamped(event, store, entry, cause))
        await store.write(connection, writes, writes.rows(store.projection))
        return told

    return await guarded(store, once)


async def guarded(store: Store, once: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Run a transaction at REPEATABLE READ; read again and repeat while somebody was faster."""
    for left in range(TRIES, -1, -1):
        try:
            async with store.pool.acquire() as connection, connection.transaction(
                isolation="repeatable_read"
            ):
                return await once(connection)
        except (Fenced, asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
            if not left:
                raise
            await store.follow()
    raise AssertionError("unreachable")  # noqa: EM101  (for the type checker)


async def _entry(store: Store, connection: asyncpg.Connection, subject: str) -> Entry:
    (entry,) = await store.entries_in(connection, [subject], 0)
    if not entry.version:
        raise UnknownSubject(subject)
    return entry


def _stamped(
    event: Told, store: Store, entry: Entry, cause: Cause
) -> tuple[str, str, str, str, bytes]:
    source = f"/{store.projection.service}"
    id_ = event_id(source, entry.subject, entry.last_seq)
    type_ = event.kind.type_name()
    value = canonical(
        Envelope(
            actor=cause.actor,
            causationid=cause.causationid,
            correlationid=cause.correlationid or cause.causationid,
            data=event.data,
            id=id_,
            recordedtime=cause.recordedtime,
            regency=event.regency,
            source=source,
            subject=entry.subject,
            subjectseq=entry.last_seq,
            time=cause.time,
            type=type_,
        )
    )
    return event.kind.TOPIC, entry.subject, id_, type_, value
