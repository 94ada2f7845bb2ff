"""The garbage collector of a process that keeps states.

States are hundreds of thousands of objects that stay and hold no cycles, and so are the records
that wait to be folded. The collector's defaults walk through all of them again whenever they have
grown by a quarter: a third of a replay's time, and more with every month.
"""

import gc

NEW, YOUNG, OLD = 2_000_000, 50, 100  # Objects more than at the last look at the new; then looks.
FEW = 100_000  # New objects: a look of some 10 ms.


def settle() -> None:
    """Let the collector look seldom at what is new, and hardly ever at what stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW, YOUNG, OLD)


def tidy() -> None:
    """Look at what is new while it is little, so that the cycles of a quiet process do not add up.

    An event loop leaves some four for each thousand records, and some for each empty poll.
    """
    if gc.get_count()[0] < FEW:
        gc.collect(0)
