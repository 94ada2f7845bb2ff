"""What services bring along, by entry points: commands, tables, processes.

A machine may have one service of several, or without its extras: what cannot be imported for that
reason is left out, and named when somebody asks for something that is not there.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

_missing: dict[str, str] = {}


def points(group: str) -> list[EntryPoint]:
    """Give the entry points of a group, by name."""
    return sorted(entry_points(group=group), key=lambda point: point.name)


def loaded(group: str) -> dict[str, Any]:
    """Give what the entry points of a group name, as far as it is installed."""
    found = {}
    for point in points(group):
        try:
            found[point.name] = point.load()
        except ModuleNotFoundError as error:
            _missing[f"{group} {point.name}"] = str(error)
    return found


def left_out() -> str:
    """Say what was left out so far and why, to be put behind a message; empty: nothing was."""
    if not _missing:
        return ""
    return " (left out: " + "; ".join(f"{name}: {why}" for name, why in _missing.items()) + ")"
