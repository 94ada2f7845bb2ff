"""The whole assessor: from Kafka to committed states, read tables and events (design 9)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.facts import Record
from benchmarks.stage import Log, Process, Stage


@dataclass(frozen=True)
class Run:
    """What a run over a log took.

    `busy`: processor seconds of the workers; `peak`: megabytes of the largest; `refused`: steps
    that lost against another worker and were done again.
    """

    records: int
    told: int
    seconds: float
    busy: float
    peak: float
    refused: int

    @property
    def rate(self) -> float:
        """Give records a second."""
        return self.records / self.seconds

    @property
    def by_processor(self) -> float:
        """Give records a second of the workers' own processor time."""
        return self.records / self.busy


class Group:
    """Workers of one group on one topic and database; they stand still between two runs."""

    def __init__(self, stage: Stage, log: Log, database: str, workers: list[Process]) -> None:
        self.stage = stage
        self.log = log
        self.database = database
        self._workers = workers

    def stand(self) -> None:
        """Wait until each has its share of the partitions, and let them fetch nothing more."""
        for worker in self._workers:
            worker.tell("pause", members=len(self._workers))
        for worker in self._workers:
            worker.answer()

    def take(self, records: Iterable[Record]) -> Run:
        """Write records while the workers stand still, then let them go."""
        self.stage.write(self.log, records)
        return self.go()

    def go(self) -> Run:
        """Let the workers take what is on the log, then stand still again."""
        for worker in self._workers:
            worker.tell("go", ends=self.log.ends)
        answers = [worker.answer() for worker in self._workers]
        if any(answer["stopped"] for answer in answers):
            raise RuntimeError(f"a partition stopped: {answers}")
        self.stand()
        return Run(
            records=sum(a["records"] for a in answers),
            told=sum(a["told"] for a in answers),
            seconds=max(a["seconds"] for a in answers),
            busy=sum(a["busy"] for a in answers),
            peak=max(a["peak"] for a in answers),
            refused=sum(a["refused"] for a in answers),
        )


@contextmanager
def group(stage: Stage, workers: int = 1, profile: str = "") -> Iterator[Group]:
    """Give workers on a fresh topic and database; both stay, the workers do not."""
    log, database = stage.topic(), stage.database()
    started = [
        stage.start("worker", log, database=database, profile=profile) for _ in range(workers)
    ]
    try:
        made = Group(stage, log, database, started)
        made.stand()
        yield made
    finally:
        for worker in started:
            worker.end()
