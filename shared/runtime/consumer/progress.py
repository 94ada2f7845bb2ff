"""The state of a runner, for health, metrics, and callers that wait for it to catch up.

`docs/observing.md` says what each metric is for; those that are computed only when asked are set
by `hosting/metrics.py`.
"""

import asyncio
import collections
import time
from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge, Histogram

from shared.errors import CannotRunError
from shared.runtime.consumer.refusals import Refusals
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.halt import HALT_KINDS, Halt

APPLIED = Counter("tertib_events_applied", "Records taken", ["group", "topic"])
DUPLICATES = Counter("tertib_duplicates_dropped", "Repeated events and broadcasts", ["group"])
PARKED = Counter("tertib_parked", "Records parked", ["group", "reason"])
GAPS = Counter("tertib_sequence_gaps", "Numbers of a subject that were left out", ["group"])
REFUSED = Counter("tertib_zombie_writes_rejected", "Transactions refused by the fence", ["group"])
SEEKS = Counter("tertib_fence_seeks", "Batches read again because one was lost", ["group"])
STOPPED = Gauge("tertib_partitions_stopped", "Partitions that stand still", ["group", "reason"])
GAPS_OPEN = Gauge("tertib_sequence_gaps_open", "Gaps that nobody filled in a minute", ["group"])
LATENESS = Gauge(
    "tertib_event_time_lag_seconds",
    "Age of the last record of a transaction when it was written, by its recordedtime",
    ["group", "topic"],
)
STALLS = Histogram(
    "tertib_loop_stall_seconds",
    "By how much the event loop was late for a task that wanted its turn",
    ["group"],
    buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
CLAIMED = Gauge("tertib_partitions_claimed", "Partitions claimed by this member", ["group"])
STAGES = Histogram(
    "tertib_batch_seconds",
    "Time of a transaction by stage",
    ["group", "stage"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


@dataclass
class Progress:
    """Figures of one runner, by partition `(topic, number)`; `turned_at` is monotonic seconds.

    `refused`: transactions that the fence or a guard refused. `parked`: records, since the start.
    """

    group: str
    claimed: dict[TopicPartition, int] = field(default_factory=dict)  # To the committed offset.
    waiting: set[TopicPartition] = field(default_factory=set)  # Assigned, not claimed yet.
    stopped: dict[TopicPartition, Halt] = field(default_factory=dict)
    turned_at: float = field(default_factory=time.monotonic)
    behind_at: float | None = None  # Since when there are records to take and none are taken.
    # Likewise by partition: a cursor, and since when it has not moved.
    unmoved: dict[TopicPartition, tuple[int, float]] = field(default_factory=dict)
    records: int = 0
    told: int = 0
    refused: int = 0
    parked: int = 0
    refusals: Refusals = field(default_factory=Refusals)  # Those in a row, of now.
    claim_error: str | None = None  # Why the last try to claim failed.
    over: "asyncio.Future[None] | None" = None  # Raises what ends this member.

    def start(self, place: TopicPartition, offset: int) -> None:
        """Note that a partition is held from an offset on."""
        self.claimed[place] = offset
        self.waiting.discard(place)
        self.stopped.pop(place, None)
        self.set_gauges()

    def halt(self, place: TopicPartition, halt: Halt) -> None:
        """Note that a partition stands still, and why."""
        self.stopped[place] = halt
        self.waiting.discard(place)
        self.claimed.pop(place, None)
        self.set_gauges()

    def set_gauges(self) -> None:
        """Set the metrics of claimed partitions, and of halted ones by kind of halt."""
        kinds = collections.Counter(halt.kind for halt in self.stopped.values())
        for kind in HALT_KINDS:
            STOPPED.labels(self.group, kind).set(kinds[kind])
        CLAIMED.labels(self.group).set(len(self.claimed))

    def end(self, reason: CannotRunError) -> None:
        """Note that this member can never continue: its process ends (`Runner.over`)."""
        if self.over is not None and not self.over.done():
            self.over.set_exception(reason)
            self.over.exception()  # Heard: in a test nobody may wait for it.

    def note_turn(self) -> None:
        """Note that the consumer loop is alive."""
        self.turned_at = time.monotonic()

    def note_position(self, place: TopicPartition, offset: int, end: int) -> None:
        """Note since when a cursor has not moved although the log is further; or that it has."""
        if offset >= end:
            self.unmoved.pop(place, None)
        elif self.unmoved.get(place, (None, 0.0))[0] != offset:
            self.unmoved[place] = offset, time.monotonic()

    def unmoved_seconds(self, place: TopicPartition) -> float:
        """Say for how long a cursor has not moved although there is something to take."""
        known = self.unmoved.get(place)
        return time.monotonic() - known[1] if known else 0.0

    def idle_seconds(self) -> float:
        """Say how long ago the loop last turned."""
        return time.monotonic() - self.turned_at
