"""Processes that share the partitions of a rebuild: one interpreter keeps one processor busy.

A process tells the one that began it how many records it folded, and at last what it found. It
ends with its task, with an error, or when nobody listens any more.
"""

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import asyncpg

from shared.errors import CannotRunError
from shared.runtime import gc_tuning
from shared.runtime.rebuild.comparison import Differences
from shared.runtime.rebuild.partition_lanes import PartitionLanes, Task

# A new interpreter: a copy of this one would share its threads' locks and its sockets.
_SPAWN = get_context("spawn")


READY = "ready"  # Its interpreter has started, and has the database.


@dataclass(frozen=True)
class Found:
    """What a process found in its share."""

    events: int
    differences: Differences


class WorkerProcesses:
    """Processes at work. `folded` hears how many records each of their steps had."""

    def __init__(self, task: Task, workers: int, folded: Callable[[int], None]) -> None:
        numbers = range(task.limits.partitions)
        self._members = [_WorkerProcess(task, numbers[first::workers]) for first in range(workers)]
        self._folded = folded

    async def ready(self) -> None:
        """Wait until all have begun. Errors: CannotRunError if one cannot."""
        await asyncio.gather(*(member.hear() for member in self._members))

    async def run(self) -> list[Found]:
        """Give what each found, at last. Errors: CannotRunError, also if a process is killed."""
        listening = (member.listen(self._folded) for member in self._members)
        return list(await asyncio.gather(*listening))

    def end(self) -> None:
        """Kill them, whatever they do: nothing reads the tables that they write yet."""
        for member in self._members:
            member.end()


class _WorkerProcess:
    """One process, seen from the one that began it."""

    def __init__(self, task: Task, numbers: Sequence[int]) -> None:
        self._ours, theirs = _SPAWN.Pipe(duplex=False)
        self._process = _SPAWN.Process(target=_work, args=(theirs, task, numbers), daemon=True)
        self._process.start()
        theirs.close()  # Held by the process alone: its end is the end of the pipe.

    async def hear(self) -> Any:
        """Give what it says next. Errors: CannotRunError that it met, or if it is gone."""
        try:
            said: Any = await asyncio.to_thread(self._ours.recv)
        except EOFError as error:
            await asyncio.to_thread(self._process.join)
            message = f"a process of the rebuild ended with {self._process.exitcode}"
            raise CannotRunError(message) from error
        if isinstance(said, CannotRunError):
            raise said
        return said

    async def listen(self, folded: Callable[[int], None]) -> Found:
        """Pass on how far it is; give what it found. Errors: as `hear`."""
        while not isinstance(said := await self.hear(), Found):
            folded(said)
        return said

    def end(self) -> None:
        """End it, and wait until it is gone."""
        self._process.terminate()
        self._process.join()
        self._ours.close()


def _work(pipe: Connection, task: Task, numbers: Sequence[int]) -> None:
    """Fold and compare some partitions, in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # It is meant for who began us, and ends us.
    gc_tuning.settle()
    try:
        pipe.send(asyncio.run(_fold(pipe, task, numbers)))
    except CannotRunError as error:
        pipe.send(error)


async def _fold(pipe: Connection, task: Task, numbers: Sequence[int]) -> Found:
    async with asyncpg.create_pool(task.database_url, min_size=1, max_size=4) as pool:
        pipe.send(READY)
        lanes = PartitionLanes(task, pool, pipe.send)
        await lanes.run(numbers)
    return Found(lanes.events, lanes.differences)
