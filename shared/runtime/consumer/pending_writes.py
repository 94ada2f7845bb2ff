"""Transactions under way, one behind the other."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any


class PendingWrites:
    """Writes that were started, in order. None of them may raise."""

    def __init__(self) -> None:
        self._tasks: deque[asyncio.Task[None]] = deque()

    @property
    def last(self) -> asyncio.Task[None] | None:
        """Give the one that was started last, for the next to wait for; None if all are done."""
        return self._tasks[-1] if self._tasks else None

    @property
    def under_way(self) -> bool:
        """Say whether one is not done."""
        return any(not task.done() for task in self._tasks)

    def start(self, write: Coroutine[Any, Any, None]) -> None:
        """Start one more."""
        self._tasks.append(asyncio.create_task(write))

    async def done(self, but: int = 0) -> None:
        """Wait until all are done, or all but so many."""
        while len(self._tasks) > but:
            await (oldest := self._tasks[0])
            if self._tasks and self._tasks[0] is oldest:  # No other waiter has removed it.
                self._tasks.popleft()
