"""Whether a cursor and a log belong together, and how a partition halts where they do not."""

from shared.runtime.processing.halt import Halt, waits_for_operator
from shared.runtime.processing.state import Cursor

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
