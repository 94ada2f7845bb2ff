"""What goes on beside a runner's loop: the mirror of its cursors, its pulse, its accounts."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from shared.runtime import chain, heap, parking, tableset
from shared.runtime import progress as metrics
from shared.runtime.failpoints import reach
from shared.runtime.progress import Progress
from shared.runtime.store import UNAVAILABLE
from shared.runtime.worker import Step

if TYPE_CHECKING:
    from shared.runtime.runner import Runner

log = structlog.get_logger()

DAY = 86_400.0
PULSE = 1.0
TIDY_SECONDS = 10.0
LISTEN = 0.1  # Between two looks at how late the loop is.
LOST_SECONDS = 60.0  # Longer than any rebalance, claim or pause of a retry.


class Upkeep:
    """The tasks beside one runner's loop. None of them decides anything about records."""

    def __init__(self, runner: "Runner") -> None:
        self.runner = runner
        self.group = runner.group
        self.progress = runner.progress
        self._tasks: list[asyncio.Task[None]] = []
        self._records_seen = 0

    def start(self) -> None:
        """Begin; the runner's consumer must be there."""
        limits = self.runner.limits
        self._tasks = [
            asyncio.create_task(self._every(seconds, work))
            for seconds, work in (
                (limits.mirror_seconds, self._mirror),
                (PULSE, self._beat),
                (limits.recheck_seconds, self._recheck),
                (TIDY_SECONDS, self._tidy),
                (DAY, self._make_room),
            )
        ]
        self._tasks.append(asyncio.create_task(self._listen()))

    async def stop(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except (KafkaError, IllegalStateError, *UNAVAILABLE) as error:
                log.warning("upkeep_failed", group=self.group, error=type(error).__name__)

    async def _listen(self) -> None:
        """Measure how late the loop gives a task its turn: heartbeats wait as long."""
        loop, stalls = asyncio.get_running_loop(), metrics.STALLS.labels(self.group)
        while True:
            due = loop.time() + LISTEN
            await asyncio.sleep(LISTEN)
            stalls.observe(max(0.0, loop.time() - due))

    @staticmethod
    async def _tidy() -> None:
        heap.tidy()

    async def _mirror(self) -> None:
        """Let lag tools see the cursors, and look how far the log is; nobody reads these back."""
        reach("before_mirror")
        offsets = {TopicPartition(*place): at for place, at in self.progress.claimed.items()}
        if offsets:
            await self.runner.consumer.commit(offsets)
            self._compare(offsets, await self.runner.consumer.end_offsets(list(offsets)))

    def _compare(self, offsets: dict[Any, int], ends: dict[Any, int]) -> None:
        """Note since when there is something to take and nothing is taken."""
        lag = sum(max(0, end - offsets[place]) for place, end in ends.items())
        for place, end in ends.items():
            self.progress.look((place.topic, place.partition), offsets[place], end)
        moved = self.progress.records != self._records_seen
        self._records_seen = self.progress.records
        if not lag or moved or not self.progress.behind_at:
            self.progress.behind_at = time.monotonic() if lag else None

    async def _beat(self) -> None:
        """Let health see that the loop turns, also when nothing comes.

        aiokafka may lose its way in silence (kafka.md 4): who is behind and takes nothing, with no
        transaction under way, does not turn.
        """
        since = self.progress.behind_at
        lost = since is not None and time.monotonic() - since > LOST_SECONDS
        if self.runner.polls and (self.runner.writes or not lost):
            self.progress.turn()

    async def _recheck(self) -> None:
        """Look again at what stopped, and at gaps that nobody fills."""
        self.runner.cursors.recheck()
        count = await parking.open_gaps(self.runner.store)
        metrics.GAPS_OPEN.labels(self.group).set(count)
        if count:
            log.error("gaps_stay_open", group=self.group, count=count)

    async def _make_room(self) -> None:
        async with self.runner.store.pool.acquire() as connection:
            await tableset.make_room(connection)


def account(progress: Progress, step: Step) -> None:
    """Say what a transaction did: to the metrics, to the log, to whoever asks."""
    writes, group = step.writes, progress.group
    for place, cursor in writes.cursors.items():
        # In offsets: a partition of ours has no holes (no transactions, no compaction).
        taken = cursor.next_offset - writes.bases[place].next_offset
        metrics.APPLIED.labels(group, place[0]).inc(taken)
    metrics.DUPLICATES.labels(group).inc(writes.ignored)
    metrics.STAGES.labels(group, "fold").observe(step.fold_seconds)
    metrics.STAGES.labels(group, "flush").observe(step.flush_seconds)
    for parked in writes.parked:
        metrics.PARKED.labels(group, parked.reason).inc()
        if parked.reason == parking.GAP:
            metrics.GAPS.labels(group).inc()
        if parked.reason != "queued":
            log.warning(
                "record_parked",
                group=group,
                reason=parked.reason,
                **chain.place_of((parked.topic, parked.partition), parked.offset),
                **chain.ids_of(parked.value, parked.headers),
            )
    progress.records += writes.records
    progress.told += len(writes.events)
    progress.parked += len(writes.parked)
    log.info(
        "batch_taken",
        group=group,
        records=writes.records,
        told=len(writes.events),
        ignored=writes.ignored,
        parked=len(writes.parked),
        seconds=round(step.fold_seconds + step.flush_seconds, 3),
    )
