"""Named places at which a fault test kills its own process; without effect unless switched on."""

import os
import signal
from collections import Counter

_NAME, _, _NTH = os.environ.get("TERTIB_FAILPOINT", "").partition(":")
_reached: Counter[str] = Counter()


def switched_on(name: str) -> bool:
    """Say whether a place is the one at which this process is to die."""
    return name == _NAME


def _die(name: str) -> None:
    """Kill this process when the place that was asked for is reached for the n-th time."""
    if name != _NAME:
        return
    _reached[name] += 1
    if _reached[name] >= int(_NTH or "1"):
        os.kill(os.getpid(), signal.SIGKILL)


def _pass_by(name: str) -> None:
    """Nothing is switched on."""


reach = _die if _NAME else _pass_by
