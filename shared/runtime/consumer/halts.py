"""Why a partition stands still: the reasons that its cursor gives, and their few kinds."""

from shared.runtime.processing.brake import BRAKE
from shared.runtime.processing.state import Cursor

OTHER_LOG = "another log: the record before the cursor is not the same"

# By how the reason begins: few kinds, for a metric's label.
_BEGINNINGS = {
    BRAKE: "brake",
    "not bootstrapped": "not_bootstrapped",
    "history lost": "history_lost",
    "log shorter": "log_shorter",
    "another log": "another_log",
}
HALTS = (*_BEGINNINGS.values(), "gap", "broadcast")


def kind_of_halt(reason: str) -> str:
    """Give the kind of a reason, one of HALTS; what is not about the cursor is a broadcast's."""
    for beginning, kind in _BEGINNINGS.items():
        if reason.startswith(beginning):
            return kind
    return "gap" if reason.endswith(": a gap") else "broadcast"


def fault_of(row: Cursor | None, begin: int, end: int) -> str | None:
    """Say why a cursor and a log do not belong together; None if they do.

    Shapes: `begin` and `end` are the log's, read after the row.
    """
    if row is None:
        return "not bootstrapped: there is no cursor for this partition"
    if row.stopped is not None and row.stopped.startswith(BRAKE):
        return row.stopped
    if row.next_offset < begin:
        return f"history lost: the cursor is {row.next_offset}, the log begins at {begin}"
    if row.next_offset > end:
        return f"log shorter than the cursor: {row.next_offset} of {end}"
    return None
