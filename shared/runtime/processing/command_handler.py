"""Writing subjects from outside the runner: commands, or a sender that stores its outcomes.

The version of the subject's row guards all writers: the loser reads again (design 4, "one guard
for every writer").
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import structlog
from structlog.contextvars import bound_contextvars

from shared.events.base import NewEvent
from shared.runtime.processing.stamping import Event, Times, source_of, stamp
from shared.runtime.processing.state import SubjectState
from shared.runtime.processing.store_port import Store, WriteConflictError
from shared.runtime.processing.write_batch import WriteBatch

__all__ = [
    "Command",
    "SubjectParkedError",
    "Times",
    "UnknownSubjectError",
    "handle",
    "handle_together",
    "retry_on_conflict",
]

TRIES = 12  # With contention on one subject the second or third try succeeds; twelve is a bug.
PAUSE = 0.002  # Seconds, doubled with each miss; random, or the same writer would always lose.

log = structlog.get_logger()

T = TypeVar("T")


class UnknownSubjectError(LookupError):
    """The subject has no row: no record about it was ever applied."""


class SubjectParkedError(Exception):
    """Records of the subject are parked: no decision may rest on an incomplete state."""


Decide = Callable[[Any, int], Sequence[NewEvent]]  # Of a state and its last subjectseq.
# The events of a command, or why its subject accepts no commands.
Outcome = list[NewEvent] | UnknownSubjectError | SubjectParkedError


class Command(NamedTuple):
    """What to do to a subject, and the cause of it."""

    subject: str
    act: Decide
    cause: Times


async def handle(store: Store, subject: str, act: Decide, cause: Times) -> list[NewEvent]:
    """Let `act` change the subject's state and give events, in one guarded transaction.

    `act` gets the state and the last subjectseq; it may be called again, with a fresh state, when
    another writer was faster. Log lines meanwhile carry the subject and the chain of `cause`.
    Errors: UnknownSubjectError; SubjectParkedError; what `act` raises (nothing is then written);
    WriteConflictError after too many tries; those of the store.
    """
    chain = {
        "causation_id": cause.causationid,
        "correlation_id": cause.correlationid or cause.causationid,
        "actor": cause.actor,
    }
    known = {name: id_ for name, id_ in chain.items() if id_ is not None}
    with bound_contextvars(subject=subject, **known):
        (done,) = await handle_together(store, [Command(subject, act, cause)])
        if isinstance(done, Exception):
            raise done
        return done


async def handle_together(store: Store, commands: Sequence[Command]) -> list[Outcome]:
    """Do several commands in one transaction, those of one subject one after the other.

    For callers with many small ones: a transaction for each would cost twenty round trips. Gives
    for each its events, or why its subject accepts no commands; the others are done. Errors: as
    of `handle` (nothing is then written).
    """

    async def once(live: Store) -> list[Outcome]:
        subjects = dict.fromkeys((command.subject for command in commands), 0)
        entries = {entry.subject: entry for entry in await live.entries(subjects)}
        open_ = {name: entry for name, entry in entries.items() if _fault(entry) is None}
        writes = WriteBatch(touched=list(open_.values()))
        ended = [_done(live, writes, entries[each.subject], each) for each in commands]
        if open_:
            await live.commit(writes, writes.rows(live.projection))
        _account(commands, ended, writes.events)
        return ended

    return await retry_on_conflict(store, once)


def _done(store: Store, writes: WriteBatch, entry: SubjectState, command: Command) -> Outcome:
    if (fault := _fault(entry)) is not None:
        return fault
    told = list(command.act(entry.state, entry.last_seq))
    source = source_of(store.projection)
    writes.events += [stamp(each, source, entry, command.cause) for each in told]
    return told


async def retry_on_conflict(store: Store, once: Callable[[Store], Awaitable[T]]) -> T:
    """Run `once`, again after each conflict with another writer. Errors: WriteConflictError."""
    for misses in range(TRIES):
        try:
            return await once(store)
        except WriteConflictError:
            log.info("subject_read_again", tries=misses + 1)
            await asyncio.sleep(random.uniform(0, PAUSE * 2 ** min(misses, 7)))  # noqa: S311  (no secret)
            store = await store.live()
    return await once(store)


def _account(commands: Sequence[Command], ended: Sequence[Outcome], events: list[Event]) -> None:
    """Log the commands of officials that changed something.

    Commands of the service itself are not logged: a sender has thousands of deliveries.
    """
    ids = iter([id_ for _, _, id_, _, _ in events])
    for command, end in zip(commands, ended, strict=True):
        mine = [] if isinstance(end, Exception) else list(islice(ids, len(end)))
        if mine and command.cause.actor is not None:
            log.info("command_handled", event_id=mine[0], told=len(mine))


def _fault(entry: SubjectState) -> UnknownSubjectError | SubjectParkedError | None:
    """Give the reason why a subject accepts no commands; None if it does."""
    if not entry.version:
        return UnknownSubjectError(entry.subject)
    if entry.parked:
        return SubjectParkedError(entry.subject)
    return None
