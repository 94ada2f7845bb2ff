"""What services bring along, by entry points: commands, tables, processes, stages of a preview.

A machine may have one service of several: what is not there is left out. One that is there and
cannot be loaded (a module that fails, an extra that is missing, a rule file that cannot be read)
does not stop the others: it is named, with its reason.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any


@dataclass
class Brought:
    """What the entry points of a group gave, by name; why the others gave nothing."""

    found: dict[str, Any] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    def without(self) -> str:
        """Say what is left out and why, to be put behind a message; empty: nothing is."""
        out = {**self.absent, **self.broken}
        if not out:
            return ""
        return " (left out: " + "; ".join(f"{name}: {why}" for name, why in out.items()) + ")"


def points(group: str) -> list[EntryPoint]:
    """Give the entry points of a group, by name."""
    return sorted(entry_points(group=group), key=lambda point: point.name)


def brought(group: str, use: Callable[[Any], Any] = lambda given: given) -> Brought:
    """Load what the entry points of a group name; `use` makes of each what is wanted."""
    gave = Brought()
    for point in points(group):
        try:
            gave.found[point.name] = use(point.load())
        except Exception as error:  # noqa: BLE001  (whatever it is: the others go on)
            where = gave.absent if _is_absent(point, error) else gave.broken
            where[point.name] = reason_of(error)
    return gave


def reason_of(error: BaseException) -> str:
    """Say in one line why something cannot be loaded."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ModuleNotFoundError) else f"{type(error).__name__}: {text}"


def _is_absent(point: EntryPoint, error: Exception) -> bool:
    """Tell a service that is not on this machine from one that is and misses something."""
    if not isinstance(error, ModuleNotFoundError) or error.name is None:
        return False
    return point.module == error.name or point.module.startswith(f"{error.name}.")
