"""Reports what a transaction did: metrics, one log line, and the progress of the member."""

import structlog

from shared.runtime.consumer import progress as metrics
from shared.runtime.consumer.progress import Progress
from shared.runtime.observability import correlation
from shared.runtime.parking import queries
from shared.runtime.processing.fold_signals import FoldFailedError
from shared.runtime.processing.store_port import WriteConflictError
from shared.runtime.processing.worker import FoldedBatch
from shared.runtime.storage.failures import UNAVAILABLE

log = structlog.get_logger()


def account(progress: Progress, step: FoldedBatch) -> None:
    """Report what a transaction did: metrics, one log line, and the progress of the member."""
    writes, group = step.writes, progress.group
    progress.refusals.end()
    for place, cursor in writes.cursors.items():
        # In offsets: a partition of ours has no holes (no transactions, no compaction).
        taken = cursor.next_offset - writes.bases[place].next_offset
        metrics.APPLIED.labels(group, place[0]).inc(taken)
    metrics.DUPLICATES.labels(group).inc(writes.ignored)
    metrics.STAGES.labels(group, "fold").observe(step.fold_seconds)
    metrics.STAGES.labels(group, "flush").observe(step.flush_seconds)
    for parked in writes.parked:
        metrics.PARKED.labels(group, parked.reason).inc()
        if parked.reason == queries.GAP:
            metrics.GAPS.labels(group).inc()
        if parked.reason != "queued":
            log.warning(
                "record_parked",
                group=group,
                reason=parked.reason,
                **correlation.place_of((parked.topic, parked.partition), parked.offset),
                **correlation.ids_of(parked.value, parked.headers),
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


def account_refusal(progress: Progress, error: Exception) -> None:
    """Report a transaction that was not written. Called where the error is handled."""
    metrics.REFUSED.labels(progress.group).inc()
    progress.refused += 1
    progress.refusals.note(error)
    log.warning("write_refused", group=progress.group, error=type(error).__name__)
    if not isinstance(error, (WriteConflictError, *UNAVAILABLE)):
        log.error("write_failed", group=progress.group, exc_info=error)


def report_failed_fold(group: str, failed: FoldFailedError) -> None:
    """Log a record that could not be folded; its batch is folded again without it."""
    where = correlation.place_of(failed.place, failed.offset)
    log.warning("fold_failed", group=group, reason=failed.mark.reason, **where)
