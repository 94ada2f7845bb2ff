"""Folds the log from its beginning into new tables beside the live ones."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import chain

from shared.errors import CannotRunError
from shared.runtime.kafka.partition_reader import PartitionReader
from shared.runtime.kafka.records import Record
from shared.runtime.limits import Limits
from shared.runtime.parking import queue
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.fold_signals import FoldFailedError
from shared.runtime.processing.state import Partition
from shared.runtime.processing.worker import FoldedBatch, Worker
from shared.runtime.rebuild import published_log
from shared.runtime.rebuild.parked_log import Coordinates, Queue, QueuedRow
from shared.runtime.rebuild.told_events import ToldEvents
from shared.runtime.storage.store import PostgresStore

Written = Callable[[FoldedBatch], Awaitable[None]]


async def _unheard(_: FoldedBatch) -> None:
    """Hear of a step, and do nothing."""


class Replay:
    """One fold of the log into a store of a rebuild, partition by partition.

    `own` are the topics of the service itself: they are folded first and to their ends, so that
    told events are folded as given and not concluded again. Events that a projection `tells`
    without declaring their topic are inserted among the records that it consumes instead.
    """

    def __init__(
        self,
        store: PostgresStore,
        bootstrap: str,
        own: Sequence[str],
        limits: Limits,
    ) -> None:
        self.store = store
        self.own = own
        self.topics = [*own, *(t for t in store.projection.topics if t not in own)]
        self.reading = PartitionReader(bootstrap)
        self._limits = limits
        self._written: Written = _unheard
        self._worker = Worker(store.projection, limits)
        self._writing: asyncio.Task[None] | None = None
        tells = store.projection.tells
        self.told_on = sorted({kind.TOPIC for kind in tells})
        says = store.projection.says
        self.derived_on = sorted({kind.TOPIC for kind in says if not kind.TOLD})
        self.spoken_on = sorted({kind.TOPIC for kind in (*says, *tells)})
        self._told = frozenset(kind.type_name() for kind in tells)

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.to_thread(self.reading.close)

    async def catch_up(self, ends: Mapping[TopicPartition, int], written: Written) -> None:
        """Fold partitions up to where they stand live; our own stream to its end.

        `written` hears of each step. Errors: CannotRunError if the log is not whole, or a
        partition stops in it.
        """
        self._written = written
        numbers = {number for _, number in ends}
        places = [(topic, number) for number in sorted(numbers) for topic in self.topics]
        cursors = {(c.topic, c.partition): c for c in await self.store.cursors(places)}
        for place in places:
            end, at = ends[place], cursors[place].next_offset
            if end == at and not self.told_on and place[0] not in self.own:
                continue  # Nothing came since it was folded last.
            begin, after = await asyncio.to_thread(self.reading.ends, place)
            if place[0] in self.own:
                end = after
            if end > after or (begin > at < end):
                message = f"the log of {place[0]}/{place[1]} is not whole: {begin} to {after}"
                raise CannotRunError(message)
            await self._fold_to(place, end)

    async def settle_parked(self, live: str, number: int) -> None:
        """Discard and retry what was discarded and retried live: the queues end alike."""
        new, pool = self.store.schema, self.store.pool
        await pool.execute(
            f"UPDATE {new}.parked n SET state = 'discarded' FROM {live}.parked o"
            " WHERE n.partition = $1 AND o.state = 'discarded' AND n.subject = o.subject"
            ' AND n.topic = o.topic AND n.partition = o.partition AND n."offset" = o."offset"',
            number,
        )
        # Applied is what does not wait live: it was retried there, or never had to wait.
        rows = await pool.fetch(
            f"SELECT n.subject, array_remove(array_agg(w.id), NULL) AS keep"
            f" FROM {new}.subjects n JOIN {live}.subjects o USING (subject)"
            f" LEFT JOIN ({new}.parked w JOIN {live}.parked l USING (subject, topic, partition,"
            " \"offset\")) ON w.subject = n.subject AND w.state = 'waiting' AND l.state = w.state"
            " WHERE n.parked AND n.partition = $1 GROUP BY n.subject, o.parked"
            f" HAVING NOT o.parked OR count(w.id) < (SELECT count(*) FROM {new}.parked a"
            " WHERE a.subject = n.subject AND a.state = 'waiting') ORDER BY n.subject",
            number,
        )
        for row in rows:
            await queue.retry(self.store, row["subject"], "rebuild", keep=row["keep"])
        self._worker.forget()

    async def settle_as_told(self, queues: Mapping[str, Queue], number: int) -> None:
        """Discard and retry what the parked topic says was discarded and retried."""
        rows: dict[str, list[QueuedRow]] = {}
        for id_, subject, reference, *place in await self.store.pool.fetch(
            f'SELECT id, subject, reference, topic, partition, "offset" FROM {self.store.schema}'
            ".parked WHERE state = 'waiting' AND partition = $1 ORDER BY id",
            number,
        ):
            rows.setdefault(subject, []).append(QueuedRow(id_, Coordinates(*place), reference))
        for subject, waiting in sorted(rows.items()):
            told = queues.get(subject, Queue())
            gone = [row.id for row in waiting if row.place in told.discarded]
            await self.store.pool.execute(
                f"UPDATE {self.store.schema}.parked SET state = 'discarded' WHERE id = ANY($1)",
                gone,
            )
            left = [row for row in waiting if row.id not in gone]
            await queue.retry(self.store, subject, "rebuild", keep=told.waiting(left))
        self._worker.forget()

    async def _fold_to(self, place: TopicPartition, end: int) -> None:
        """Fold one partition from its cursor up to an offset; again after a record that failed."""
        while True:
            (part,) = await self.store.partitions(await self.store.cursors([place]), self._limits)
            order = await asyncio.to_thread(self._order, place[1])
            try:
                await self._fold_through(part, end, order)
            except FoldFailedError as failed:
                self._worker.mark(failed)
                self._worker.forget()
            else:
                return

    def _order(self, number: int) -> ToldEvents:
        """Read where the told events of a partition stand."""
        topics = (published_log.records_of(self.reading, (on, number)) for on in self.told_on)
        return ToldEvents(chain.from_iterable(topics), self._told)

    async def _fold_through(self, part: Partition, end: int, order: ToldEvents) -> None:
        """Fold one partition up to an offset: what is next is read, and what was last is written.

        Errors: FoldFailedError: what was folded and is not written is void.
        """
        at = part.next_offset
        ahead: asyncio.Task[list[Record]] | None = None
        try:
            while at < end:
                records = await (ahead or self._read(part.place, at, end))
                at, ahead = records[-1].offset + 1, None
                if at < end:
                    ahead = asyncio.create_task(self._read(part.place, at, end))
                await self._fold_all(part, order.weave(records))
            await self._fold_all(part, order.rest())
            await self._written_out()
        finally:
            tasks = (ahead, self._writing)
            await asyncio.gather(*filter(None, tasks), return_exceptions=True)
            self._writing = None

    async def _read(self, place: TopicPartition, at: int, end: int) -> list[Record]:
        return await asyncio.to_thread(self.reading.read, place, at, end)

    async def _fold_all(self, part: Partition, records: Sequence[Record]) -> None:
        """Fold records, each transaction's worth while the one before is written."""
        while records:
            if self._worker.is_full:
                await self._written_out()
                self._worker.trim()
            step = await self._worker.fold(self.store, {part.place: part}, {part.place: records})
            await self._written_out()
            if step.stops:
                message = f"{part.topic}/{part.number} stops: {step.stops[part.place].detail}"
                raise CannotRunError(message)
            self._writing = asyncio.create_task(self._write(step))
            records = step.left.get(part.place, ())

    async def _written_out(self) -> None:
        """Wait for the transaction under way. Errors: what failed in it."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            await writing

    async def _write(self, step: FoldedBatch) -> None:
        await self._worker.commit(self.store, step)
        await self._written(step)
