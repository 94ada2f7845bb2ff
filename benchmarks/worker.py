"""The assessor in a process of its own: it joins, stands still, and goes when it is told to.

Commands on stdin, answers on stdout, a line of JSON each: `pause`; `go` (up to `ends`), which
answers with records, seconds, processor seconds, events told and the peak of memory.
"""

import asyncio
import cProfile
import json
import os
import sys
import time
from typing import Any

import psutil
from aiokafka import TopicPartition

from benchmarks.stage import quiet
from services.attendance.projection.assessor import Assessor
from shared.runtime.consumer.runner import Runner
from shared.runtime.limits import Limits


class Worker:
    """One member of the assessor's group, on a topic of the bench's own."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._topic = settings["topic"]
        projection = Assessor()
        projection.topics = (self._topic,)
        self._runner = Runner(projection, settings["bootstrap"], settings["database"], Limits())
        self._peak = 0

    async def live(self) -> None:
        """Obey until stdin ends."""
        await self._runner.start()
        watching = asyncio.create_task(self._watch())
        while line := await asyncio.to_thread(sys.stdin.readline):
            command = json.loads(line)
            answer = await getattr(self, command.pop("do"))(**command)
            print(json.dumps(answer), flush=True)  # noqa: T201
        watching.cancel()
        await self._runner.stop()

    async def pause(self, members: int = 1) -> dict[str, Any]:
        """Wait until this member's share is claimed, then fetch nothing more of it."""
        share = self._runner.limits.partitions // members
        said = self._runner.progress
        while len(said.claimed) != share or said.waiting:  # noqa: ASYNC110  (no event for it)
            await asyncio.sleep(0.02)
        self._runner.consumer.pause(*self._partitions())
        return {"claimed": len(self._partitions())}

    async def go(self, ends: dict[str, int]) -> dict[str, Any]:
        """Go on, up to the ends of the log."""
        said = self._runner.progress
        records, told, refused = said.records, said.told, said.refused
        profile = cProfile.Profile() if self._settings.get("profile") else None
        if profile is not None:
            profile.enable()
        began, processor = time.perf_counter(), time.process_time()
        self._runner.consumer.resume(*self._partitions())
        mine = {(p.topic, p.partition): ends[str(p.partition)] for p in self._partitions()}
        await self._runner.caught_up(mine)
        seconds, busy = time.perf_counter() - began, time.process_time() - processor
        if profile is not None:
            profile.disable()
            profile.dump_stats(self._settings["profile"])
        return {
            "records": said.records - records,
            "told": said.told - told,
            "refused": said.refused - refused,
            "stopped": len(said.stopped),
            "seconds": seconds,
            "busy": busy,
            "peak": self._peak / 2**20,
        }

    def _partitions(self) -> list[TopicPartition]:
        return list(self._runner.consumer.assignment())

    async def _watch(self) -> None:
        """Keep the peak of this process's memory."""
        own = psutil.Process()
        while True:
            self._peak = max(self._peak, own.memory_info().rss)
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    quiet()
    asyncio.run(Worker(json.loads(sys.argv[1])).live())
    sys.stdout.flush()
    os._exit(0)  # No thread of a library may hold up what has ended.
