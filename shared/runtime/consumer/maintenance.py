"""Periodic tasks beside a member's loop: mirror of the cursors, liveness, lag, rechecks."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from shared.errors import CannotRunError
from shared.runtime import gc_tuning
from shared.runtime.consumer import progress as metrics
from shared.runtime.consumer.assignment import PartitionAssignment
from shared.runtime.consumer.progress import Progress
from shared.runtime.failpoints import reach
from shared.runtime.limits import Limits
from shared.runtime.parking import queries
from shared.runtime.storage import schema
from shared.runtime.storage.failures import UNAVAILABLE
from shared.runtime.storage.store import PostgresStore

log = structlog.get_logger()

DAY = 86_400.0
PULSE = 1.0
TIDY_SECONDS = 10.0
LISTEN = 0.1  # Between two measurements of how late the event loop is.
LOST_SECONDS = 60.0  # Longer than any rebalance, claim or pause of a retry.


class Member(Protocol):
    """What maintenance asks of a member of a consumer group (`runner.Runner`)."""

    group: str
    limits: Limits
    progress: Progress
    cursors: PartitionAssignment

    @property
    def consumer(self) -> Any:
        """Give aiokafka's consumer."""

    @property
    def store(self) -> PostgresStore:
        """Give the store of the table set in use."""

    @property
    def polls(self) -> bool:
        """Say whether the poll loop is there."""

    @property
    def writes(self) -> bool:
        """Say whether a transaction is under way."""


class Maintenance:
    """The tasks beside one member's loop. None of them decides anything about records."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.group = member.group
        self.progress = member.progress
        self._tasks: list[asyncio.Task[None]] = []
        self._records_seen = 0

    def start(self) -> None:
        """Begin; the member's consumer must be there."""
        limits = self.member.limits
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
            except CannotRunError as error:
                self.progress.end(error)
                return
            except Exception:  # A table that is not there must not end what goes on beside.
                log.exception("upkeep_failed", group=self.group)

    async def _listen(self) -> None:
        """Measure how late the event loop runs a task: heartbeats are as late."""
        loop, stalls = asyncio.get_running_loop(), metrics.STALLS.labels(self.group)
        while True:
            due = loop.time() + LISTEN
            await asyncio.sleep(LISTEN)
            stalls.observe(max(0.0, loop.time() - due))

    @staticmethod
    async def _tidy() -> None:
        gc_tuning.tidy()

    async def _mirror(self) -> None:
        """Commit the cursors to Kafka, for lag tools only, and compare them with the log's end."""
        reach("before_mirror")
        offsets = {TopicPartition(*place): at for place, at in self.progress.claimed.items()}
        if offsets:
            await self.member.consumer.commit(offsets)
            self._compare(offsets, await self.member.consumer.end_offsets(list(offsets)))

    def _compare(self, offsets: dict[Any, int], ends: dict[Any, int]) -> None:
        """Note since when there have been records to take and none were taken."""
        lag = sum(max(0, end - offsets[place]) for place, end in ends.items())
        for place, end in ends.items():
            self.progress.note_position((place.topic, place.partition), offsets[place], end)
        moved = self.progress.records != self._records_seen
        self._records_seen = self.progress.records
        if not lag or moved or not self.progress.behind_at:
            self.progress.behind_at = time.monotonic() if lag else None

    async def _beat(self) -> None:
        """Report that the loop is alive, also when no records come.

        aiokafka may stop fetching without an error (kafka.md 4): a member that is behind and takes
        nothing, with no transaction under way, does not count as alive.
        """
        since = self.progress.behind_at
        lost = since is not None and time.monotonic() - since > LOST_SECONDS
        if self.member.polls and (self.member.writes or not lost):
            self.progress.note_turn()

    async def _recheck(self) -> None:
        """Claim halted partitions again, count the gaps that stay open, and see who is live."""
        await self.member.store.live()  # An idle member would never hear of its successor.
        self.member.cursors.recheck()
        count = await queries.open_gaps(self.member.store)
        metrics.GAPS_OPEN.labels(self.group).set(count)
        if count:
            log.error("gaps_stay_open", group=self.group, count=count)

    async def _make_room(self) -> None:
        async with self.member.store.pool.acquire() as connection:
            await schema.make_room(connection)
