"""The locks of writers of facts, always taken in one order; and which session holds one.

**Why the order of commits, of `xid` and of numbers is one.** A transaction takes its locks before
it writes anything, and PostgreSQL gives an `xid` at the first write. It lets the locks go only
when its commit is there for all to see. So of two transactions whose locks exclude each other, the
second gets its `xid`, reads and numbers after the first has committed: what excludes each other is
ordered alike by lock, `xid`, commit and number. All that add broadcasts exclude each other by the
lock of the numbers; a broadcast and the keyed facts of its regency by the regency's. The relay
publishes by `xid`. What does not exclude each other has no order to keep.

It holds at READ COMMITTED alone: there each statement sees what was committed before it began, so
what is read behind the locks is the latest. At REPEATABLE READ the first statement, the one that
waits for the lock, would fix a view from before the wait.
"""

import asyncio
import time
from collections.abc import Collection, Iterable

import asyncpg

from shared.runtime.broadcast.waiting import PATIENCE_SECONDS, Waits
from shared.runtime.storage.failures import REFUSED, UNAVAILABLE

EVERYWHERE = (
    "*"  # Stands before all regencies: a broadcast to all of them keeps everybody waiting.
)
# As one statement, in the order given; a lock that is had already is had once more.
_TAKE = """
SELECT CASE WHEN exclusive THEN pg_advisory_xact_lock(hashtextextended(name, 0))::text
            ELSE pg_advisory_xact_lock_shared(hashtextextended(name, 0))::text END
FROM unnest($1::text[], $2::bool[]) AS asked (name, exclusive)
"""
_BLOCKERS = """
SELECT coalesce(string_agg(DISTINCT coalesce(nullif(application_name, ''), 'process ' || pid),
                           ', '), '')
FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids($1))
"""


async def of_regencies(
    connection: asyncpg.Connection, shared: Collection[str], exclusive: Collection[str]
) -> None:
    """Take the locks of regencies, by code, until the transaction ends.

    Behind them, if any is exclusive, that of the numbers. Who takes them in this order never waits
    in a circle.
    """
    modes = dict.fromkeys([EVERYWHERE, *shared], False) | dict.fromkeys(exclusive, True)
    wanted = [(f"tertib.facts/{code}", mode) for code, mode in sorted(modes.items())]
    if exclusive:
        wanted.append(("tertib.facts.numbers", True))
    await connection.execute(_TAKE, *map(list, zip(*wanted, strict=True)))


async def of_ids(connection: asyncpg.Connection, ids: Iterable[str]) -> None:
    """Take the locks of ids that people give, so that of two contents of one only one is sent.

    Who takes some more in the same transaction may wait in a circle; PostgreSQL then ends one.
    """
    names = [f"tertib.facts.id/{each}" for each in sorted(set(ids))]
    if names:
        await connection.execute(_TAKE, names, [True] * len(names))


async def with_word(
    pool: asyncpg.Pool,
    connection: asyncpg.Connection,
    what: str,
    taking: "asyncio.Task[None]",
    waits: Waits,
) -> None:
    """Await locks; tell every two seconds for what and for whom they wait, and "" at the end."""
    began = time.monotonic()
    told = False
    try:
        while not (await asyncio.wait([taking], timeout=PATIENCE_SECONDS))[0]:
            who = await _blockers(pool, connection.get_server_pid())
            told = True
            waits(f"{what}: waits {time.monotonic() - began:.0f} s for {who or 'others'}")
        await taking
    finally:
        if taking.cancel():
            await asyncio.wait([taking])  # The connection is free for the roll-back only then.
        if told:
            waits("")


async def _blockers(pool: asyncpg.Pool, pid: int) -> str:
    """Name who holds what a session waits for; "" where nobody can be asked."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return str(await pool.fetchval(_BLOCKERS, pid))
    except (*UNAVAILABLE, REFUSED):
        return ""
