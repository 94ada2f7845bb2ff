"""Named places at which a fault test harms its own process; without effect unless switched on.

`TERTIB_FAILPOINT` is `NAME[:NTH[:SIGNAL]]`: the place, the how manieth time that it is reached
(1), and what the process does to itself there (SIGKILL; SIGSTOP lets it freeze).
"""

import os
import signal
from collections import Counter

_NAME, _NTH, _SIGNAL, *_ = [*os.environ.get("TERTIB_FAILPOINT", "").split(":"), "", ""]
_reached: Counter[str] = Counter()


def switched_on(name: str) -> bool:
    """Say whether a place is the one at which this process is to be harmed."""
    return name == _NAME


def _harm(name: str) -> None:
    """Harm this process when the place that was asked for is reached for the n-th time."""
    if name != _NAME:
        return
    _reached[name] += 1
    if _reached[name] == int(_NTH or "1"):
        os.kill(os.getpid(), signal.Signals[_SIGNAL or "SIGKILL"])


def _pass_by(name: str) -> None:
    """Nothing is switched on."""


reach = _harm if _NAME else _pass_by
