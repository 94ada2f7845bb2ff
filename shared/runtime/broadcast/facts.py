"""Writes facts, always in one way: a transaction with its locks, checks and numbers.

    async with facts.transaction(exclusive={"53.01"}) as tx:
        ...                                  # Reads and writes of the service: tx.connection.
        await tx.broadcast([pin_assigned])
        await tx.publish(check_ins_it_explains)

What the block wrote is published by the relay in one order: after everything that held the same
locks before it, and before everything that waits for them until it is committed (`locks`).
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

import asyncpg

from shared.events.envelope import Envelope
from shared.runtime.broadcast import known_facts, locks
from shared.runtime.broadcast.conflicts import of_broadcasts, of_facts, of_two
from shared.runtime.broadcast.transaction import FactsTransaction
from shared.runtime.broadcast.waiting import Waits, nobody_hears


class Facts:
    """Where the facts of one topic are written, on connections of a pool of its database."""

    def __init__(self, pool: asyncpg.Pool, topic: str) -> None:
        self.pool = pool
        self.topic = topic

    @asynccontextmanager
    async def transaction(
        self,
        *,
        shared: Collection[str] = (),
        exclusive: Collection[str] = (),
        waits: Waits = nobody_hears,
    ) -> AsyncIterator[FactsTransaction]:
        """Lock regencies, then let a block read and write; commit at its end.

        `shared`: regencies whose keyed facts are written; others may write theirs beside it.
        `exclusive`: those that a broadcast goes to, keyed facts as well. `waits` is told, every
        two seconds, who is waited for, and "" when it is over.
        Errors: those of the database; nothing is written then, or if the block raises.
        """
        async with (
            self.pool.acquire() as connection,
            connection.transaction(isolation="read_committed"),
        ):
            taking = asyncio.create_task(locks.of_regencies(connection, shared, exclusive))
            what = f"facts of {', '.join(sorted({*shared, *exclusive}))}"
            await locks.with_word(self.pool, connection, what, taking, waits)
            transaction = FactsTransaction(connection, self.topic, shared, exclusive)
            yield transaction
            await transaction.write()

    async def first_and_last(
        self, type_: str, regencies: Collection[str]
    ) -> dict[str, tuple[bytes, bytes]]:
        """Give the first and the last broadcast of a type, by regency that has any."""
        async with self.pool.acquire() as connection:
            return await known_facts.first_and_last(connection, type_, regencies)

    async def contradictions(self, envelopes: Sequence[Envelope]) -> list[tuple[int, str]]:
        """Say which of these contradict what is known of their ids, or one another, and in what.

        For who wants to know before anything is written; `broadcast` and `publish` ask again.
        Shapes: broadcasts, and keyed facts whose ids people give; the place among them, and a
        sentence that names both.
        """
        found: list[tuple[int, str]] = []
        ids = list({each.id for each in envelopes})
        async with self.pool.acquire() as connection:
            broadcasts = await known_facts.broadcasts_among(connection, ids)
            contents = await known_facts.facts_among(connection, ids)
        beside: dict[str, Envelope] = {}
        for at, each in enumerate(envelopes):
            if (old := broadcasts.get(each.id)) is not None:
                conflict = of_broadcasts(f"broadcast {old.number}", old.value, each, old.number)
            elif each.id in contents:
                conflict = of_facts("a fact sent before", contents[each.id], each)
            else:
                conflict = of_two(beside.setdefault(each.id, each), each)
            if conflict is not None:
                found.append((at, conflict))
        return found
