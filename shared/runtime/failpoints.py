"""Named places at which a fault test kills its own process; without effect unless switched on.

`TERTIB_FAILPOINT` is `NAME[:NTH[:SIGNAL]]`: the place, which time it is reached (default 1), and
the signal that the process sends to itself there (default SIGKILL; SIGSTOP freezes it).
"""

import os
import signal
from collections import Counter

_NAME, _NTH, _SIGNAL, *_ = [*os.environ.get("TERTIB_FAILPOINT", "").split(":"), "", ""]
_reached: Counter[str] = Counter()


def switched_on(name: str) -> bool:
    """Say whether this place is the one that is switched on."""
    return name == _NAME


def _harm(name: str) -> None:
    """Send the signal when the place that is switched on is reached for the n-th time."""
    if name != _NAME:
        return
    _reached[name] += 1
    if _reached[name] == int(_NTH or "1"):
        os.kill(os.getpid(), signal.Signals[_SIGNAL or "SIGKILL"])


def _pass_by(name: str) -> None:
    """Nothing is switched on."""


reach = _harm if _NAME else _pass_by
