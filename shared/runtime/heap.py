"""The garbage collector of a process that keeps states.

States are hundreds of thousands of objects that stay and hold no cycles. The collector's defaults
walk through all of them again whenever they have grown by a quarter: a third of a replay's time,
and more with every month.
"""

import gc

NEW, YOUNG, OLD = 500_000, 50, 100  # Objects made before a look at the new; looks before the next.


def settle() -> None:
    """Let the collector look at what is new, and hardly ever at what stays. Process-wide."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW, YOUNG, OLD)
