"""Claims of partitions, tried in the background until they succeed or are no longer wanted."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

import aiokafka
import structlog
from aiokafka.errors import IllegalStateError, KafkaError

from shared.errors import CannotRunError
from shared.events.base import UnknownFoldVersionError
from shared.runtime.consumer.halts import fault_of
from shared.runtime.consumer.progress import Progress
from shared.runtime.limits import Limits
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.halt import Halt
from shared.runtime.processing.state import Cursor, Partition
from shared.runtime.processing.store_port import Store
from shared.runtime.storage.failures import UNAVAILABLE, refusal_of

log = structlog.get_logger()

FIRST_PAUSE = 0.2


class Claims:
    """The claims of one member. `generation` counts assignments: older claims give up."""

    def __init__(
        self,
        limits: Limits,
        progress: Progress,
        once: Callable[[Sequence[TopicPartition], int], Awaitable[None]],
    ) -> None:
        self.generation = 0
        self._limits = limits
        self._progress = progress
        self._once = once
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, places: Sequence[TopicPartition], delay: float) -> None:
        """Claim partitions after a delay, in seconds."""
        self._progress.waiting |= set(places)
        self.spawn(self._claim(places, self.generation, delay))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the background, until `close`."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what runs in the background."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _claim(
        self, places: Sequence[TopicPartition], generation: int, delay: float
    ) -> None:
        """Try to claim, with growing pauses."""
        while True:
            await asyncio.sleep(delay)
            if generation != self.generation:
                return
            try:
                await self._once(places, generation)
            except IllegalStateError:
                return  # Revoked in the meantime: the next assignment claims again.
            except (*UNAVAILABLE, KafkaError) as error:
                self._progress.claim_error = refusal_of(error)
                log.warning("claim_failed", group=self._progress.group, error=type(error).__name__)
            except CannotRunError as error:
                self._progress.end(error)
                return
            except Exception as error:
                self._progress.claim_error = refusal_of(error)
                log.exception("claim_failed", group=self._progress.group)
            else:
                self._progress.claim_error = None
                return
            delay = min(delay * 2 or FIRST_PAUSE, self._limits.longest_pause)


def pause(consumer: Any, places: Iterable[TopicPartition]) -> bool:
    """Let nothing come of these; False if they were revoked: the next assignment claims."""
    try:
        consumer.pause(*(aiokafka.TopicPartition(*place) for place in places))
    except IllegalStateError:
        return False
    return True


async def against_the_log(
    consumer: Any, places: Sequence[TopicPartition], rows: Mapping[TopicPartition, Cursor]
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, Halt | None]]:
    """Compare claimed cursors with the log: where it begins, and which do not belong to it.

    Errors: those of the brokers.
    """
    partitions = [aiokafka.TopicPartition(*place) for place in places]
    # Read after the rows: an older end would look like a log that was cut.
    begins = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)
    faults = {
        place: fault_of(rows.get(place), begins[partition], ends[partition])
        for place, partition in zip(places, partitions, strict=True)
    }
    return {place: begins[aiokafka.TopicPartition(*place)] for place in places}, faults


async def as_known(
    store: Store, rows: Sequence[Cursor], limits: Limits
) -> tuple[list[Partition], dict[TopicPartition, Halt]]:
    """Build what claimed partitions know, and say why some of them cannot go on here.

    Errors: those of the store.
    """
    try:
        return await store.partitions(rows, limits), {}
    except UnknownFoldVersionError:
        pass  # Of which ones, each tells by itself.
    found: list[Partition] = []
    faults: dict[TopicPartition, Halt] = {}
    for row in rows:
        try:
            found += await store.partitions([row], limits)
        except UnknownFoldVersionError as error:
            faults[row[:2]] = Halt("fold_version", str(error))
    return found, faults


async def still_ours(
    store: Store, before: Mapping[TopicPartition, Partition], limits: Limits, group: str
) -> list[Partition]:
    """Read again those partitions that nobody has claimed since; none if that is not known.

    Errors: CannotRunError if the tables are no longer for this code.
    """
    try:
        if await store.live() is store:
            rows = await store.cursors(before)
            ours = [row for row in rows if before[row[:2]].epoch == row.epoch]
            return await store.partitions(ours, limits)
    except CannotRunError:
        raise
    except UNAVAILABLE as error:
        log.warning("rows_unknown", group=group, error=type(error).__name__)
    except Exception:
        log.exception("rows_unknown", group=group)
    return []
