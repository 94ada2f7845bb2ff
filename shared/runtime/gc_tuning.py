"""The garbage collector's settings for a process that keeps many states in memory.

States, and the records that wait to be folded, are hundreds of thousands of long-lived objects
without cycles. With its defaults the collector walks through all of them whenever they have grown
by a quarter: a third of the time of a replay, and more with every month.
"""

import gc

NEW, YOUNG, OLD = 2_000_000, 50, 100  # Objects more than at the last look at the new; then looks.
FEW = 100_000  # New objects: a look of some 10 ms.


def settle() -> None:
    """Let the collector scan new objects seldom, and long-lived ones hardly ever."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW, YOUNG, OLD)


def tidy() -> None:
    """Collect the new objects while they are few, so that cycles of an idle process go away.

    An event loop leaves about four cycles per thousand records, and some per empty poll.
    """
    if gc.get_count()[0] < FEW:
        gc.collect(0)
