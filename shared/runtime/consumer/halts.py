"""Whether a cursor and a log belong together; how a halt is reported and stored."""

from typing import Any

import structlog

from shared.runtime.consumer.progress import Progress
from shared.runtime.observability import correlation
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.halt import Halt, waits_for_operator
from shared.runtime.processing.state import Cursor
from shared.runtime.processing.store_port import Store
from shared.runtime.storage.failures import UNAVAILABLE

log = structlog.get_logger()

OTHER_LOG = Halt("another_log", "another log: the record before the cursor is not the same")


def fault_of(row: Cursor | None, begin: int, end: int) -> Halt | None:
    """Say why a cursor and a log do not belong together; None if they do.

    Shapes: `begin` and `end` are the log's, read after the row.
    """
    if row is None:
        detail = "not bootstrapped: there is no cursor for this partition"
        return Halt("not_bootstrapped", detail)
    if row.stopped is not None and waits_for_operator(row.stopped.kind):
        return row.stopped
    if row.next_offset < begin:
        detail = f"history lost: the cursor is {row.next_offset}, the log begins at {begin}"
        return Halt("history_lost", detail)
    if row.next_offset > end:
        detail = f"log shorter than the cursor: {row.next_offset} of {end}"
        return Halt("log_shorter", detail)
    return None


class HaltReports:
    """Reports halts. `culprits` are the records that are about to halt a partition."""

    def __init__(self, progress: Progress) -> None:
        self.culprits: dict[TopicPartition, Any] = {}
        self._progress = progress

    async def report(
        self, store: Store, place: TopicPartition, row: Cursor | None, why: Halt
    ) -> None:
        """Say in the log, the metrics and the cursor's row (if there is one) why it halts."""
        culprit = self.culprits.pop(place, None)
        about = correlation.place_of(place) if culprit is None else correlation.of_record(culprit)
        group = self._progress.group
        log.error("partition_stopped", group=group, kind=why.kind, reason=why.detail, **about)
        self._progress.halt(place, why)
        if row is not None:
            try:
                await store.stop(row, why)
            except UNAVAILABLE as error:
                where = correlation.place_of(place)
                log.warning("halt_not_stored", group=group, error=type(error).__name__, **where)
