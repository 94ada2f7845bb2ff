"""Waiting until the relay has published what was committed; where that takes long, saying so."""

import asyncio
import time
from types import TracebackType
from typing import Self

import asyncpg

from shared.runtime.broadcast.waiting import PATIENCE_SECONDS, Waits
from shared.runtime.outbox import outbox_table
from shared.runtime.storage.schema import FACTS

POLL_SECONDS = 0.25  # What a lost notification costs.
_LEADER = """
SELECT coalesce(nullif(application_name, ''), 'process ' || pid)
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND datname = current_database()
    AND ((classid::bigint << 32) | objid::bigint) = hashtext($1)
LIMIT 1
"""


class Sent:
    """Watches the facts' relay, on a connection of its own, while it is entered.

    `relay`: one of this process that stands ready to lead. If it ends, so does all waiting.
    """

    def __init__(self, url: str, waits: Waits, relay: "asyncio.Task[None]") -> None:
        self._url = url
        self._waits = waits
        self._relay = relay
        self._moved = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Connect and listen."""
        self._connection = await asyncpg.connect(self._url, timeout=30, command_timeout=60)
        assert FACTS.sent_channel is not None  # noqa: S101  (for the type checker)
        await self._connection.add_listener(FACTS.sent_channel, lambda *_: self._moved.set())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Let the connection go."""
        self._connection.terminate()

    async def is_sent(self, xid: int) -> bool:
        """Say whether everything up to a transaction is published."""
        first = await outbox_table.first_unsent(self._connection, FACTS)
        return first is None or first.xid > xid

    async def everything(self) -> None:
        """Wait for all that is committed by now. Errors: as `upto`."""
        await self.upto(await outbox_table.latest(self._connection, FACTS))

    async def upto(self, xid: int) -> None:
        """Wait until everything up to a transaction is acknowledged by all its partitions.

        Errors: what ended the relay of this process; those of the database.
        """
        began, told = time.monotonic(), 0.0
        while True:
            self._moved.clear()
            if await self.is_sent(xid):
                break
            if self._relay.done():
                self._relay.result()
            if time.monotonic() - max(began, told) > PATIENCE_SECONDS:
                told = time.monotonic()
                self._waits(await self._words(told - began))
            await self._move()
        if told:
            self._waits("")

    async def _move(self) -> None:
        moving = asyncio.ensure_future(self._moved.wait())
        await asyncio.wait(
            [moving, self._relay], timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        moving.cancel()

    async def _words(self, seconds: float) -> str:
        leader = await self._connection.fetchval(_LEADER, FACTS.lock)
        by = f"{leader} sends them" if leader else "no relay has taken them up yet"
        return f"waits {seconds:.0f} s until facts committed before are on the log: {by}"
