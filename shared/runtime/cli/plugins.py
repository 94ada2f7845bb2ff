"""What services bring along, by entry points: commands, tables, processes.

A machine may have one service of several, or without its extras: what is not installed is left
out. One that is installed and cannot be loaded (a module that fails, a rule file that cannot be
read) does not stop the others: it is named, with its reason.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

_absent: dict[str, str] = {}
_broken: dict[str, str] = {}


def points(group: str) -> list[EntryPoint]:
    """Give the entry points of a group, by name."""
    return sorted(entry_points(group=group), key=lambda point: point.name)


def loaded(group: str) -> dict[str, Any]:
    """Give what the entry points of a group name, as far as it is installed and can be loaded."""
    found = {}
    for point in points(group):
        try:
            found[point.name] = point.load()
        except ModuleNotFoundError as error:
            _absent[f"{group} {point.name}"] = str(error)
        except Exception as error:  # noqa: BLE001  (one that is broken is named, the others go on)
            _broken[point.name] = reason_of(error)
    return found


def broken() -> dict[str, str]:
    """Say what could not be loaded so far, by name, and why."""
    return dict(_broken)


def left_out() -> str:
    """Say what was left out so far and why, to be put behind a message; empty: nothing was."""
    out = _absent | _broken
    if not out:
        return ""
    return " (left out: " + "; ".join(f"{name}: {why}" for name, why in out.items()) + ")"


def reason_of(error: BaseException) -> str:
    """Say in one line why something cannot be loaded, and where if the text does not say."""
    text = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
