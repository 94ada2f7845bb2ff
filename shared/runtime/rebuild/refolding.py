"""Folds every partition again and compares it, in several processes if the log is large."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import asyncpg

from shared.runtime.rebuild.comparison import Differences
from shared.runtime.rebuild.partition_lanes import PartitionLanes, Task
from shared.runtime.rebuild.worker_processes import WorkerProcesses

WORTH = 100_000  # Records that a process is worth: it takes a second to start.


@dataclass(frozen=True)
class Done:
    """Progress: records folded, records in all, records a second."""

    folded: int
    total: int
    rate: float

    @property
    def seconds_left(self) -> float:
        """Estimate what is left."""
        return (self.total - self.folded) / self.rate if self.rate else 0.0


@dataclass
class Report:
    """What a rebuild found. `differences` empty: the new tables are live."""

    projection: str
    schema: str
    records: int = 0
    events: int = 0
    seconds: float = 0.0
    workers: int = 1
    starting: float = 0.0  # Seconds, of all, until they had begun.
    differences: list[str] = field(default_factory=list)

    @property
    def switched(self) -> bool:
        """Say whether the new tables took over."""
        return not self.differences


class Refolding:
    """The log of a task into its new tables; `report` grows, `differences` are those found."""

    def __init__(
        self, task: Task, pool: asyncpg.Pool, progress: Callable[[Done], None], workers: int
    ) -> None:
        self.task = task
        self.pool = pool
        self.report = Report(task.projection.name, task.new)
        self.differences = Differences()
        self._progress = progress
        self._workers = workers
        self._began = time.monotonic()
        self._total = 0

    async def run(self, total: int) -> None:
        """Fold all partitions, of so many records.

        Errors: CannotRunError; see `PartitionLanes`.
        """
        self._total = total
        workers = min(self._workers, 1 + total // WORTH)
        if workers > 1:
            await self._apart(workers)
            return
        lanes = PartitionLanes(self.task, self.pool, self.folded, self.differences)
        await lanes.run(range(self.task.limits.partitions))
        self.report.events = lanes.events

    async def _apart(self, workers: int) -> None:
        crew = WorkerProcesses(self.task, workers, self.folded)
        try:
            await crew.ready()
            self.report.workers = workers
            self.report.starting = time.monotonic() - self._began
            for found in await crew.run():
                self.report.events += found.events
                self.differences.take(found.differences)
        finally:
            crew.end()

    def folded(self, records: int) -> None:
        """Say how far it is."""
        self.report.records += records
        seconds = max(time.monotonic() - self._began, 0.001)
        self._progress(Done(self.report.records, self._total, self.report.records / seconds))

    def finished(self) -> Report:
        """Give the report."""
        self.report.differences = self.differences.shown
        self.report.seconds = time.monotonic() - self._began
        return self.report
