"""Units and those above them: whose schedule holds where a unit has none (semantics B5, B9)."""

from collections.abc import Mapping
from typing import Protocol


class Unit(Protocol):
    """An office: the one above it, and the schedule of its people."""

    @property
    def parent_unit_id(self) -> str | None:
        """The unit above."""

    @property
    def schedule_id(self) -> str | None:
        """The schedule of its people; None: that of the unit above."""


def units_up(units: Mapping[str, Unit], unit_id: str | None) -> list[str]:
    """Give a unit and those above it, as far as they are known; a circle ends where it closes."""
    found: list[str] = []
    while unit_id is not None and unit_id in units and unit_id not in found:
        found.append(unit_id)
        unit_id = units[unit_id].parent_unit_id
    return found


def schedule_of(units: Mapping[str, Unit], unit_id: str | None) -> str | None:
    """Give the schedule of a unit, else of the nearest unit above that has one (B5)."""
    above = (units[unit].schedule_id for unit in units_up(units, unit_id))
    return next(filter(None, above), None)
