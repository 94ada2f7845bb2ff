"""The types of sanction in their order, lightest first, as the tables have them.

Names are the law's own, as on the wire. A regency whose tables name other types of a level (the
transitional ones of PP 94/2021 Pasal 42) does so by a row of its own.
"""

from dataclasses import dataclass
from typing import NamedTuple, get_args

from services.discipline.domain.rulebook import Rules
from shared.events.attendance import Level

LEVELS: tuple[Level, ...] = get_args(Level)  # Lightest first.


class Sanction(NamedTuple):
    """A type of sanction, and how many months it is served.

    0: it is done once in force, as a reprimand is. None: it ends the service.
    """

    level: Level
    name: str
    months: int | None


@dataclass(frozen=True)
class SanctionOrder:
    """All types, lightest first: three levels of three (PP 94/2021 Pasal 9-11; verified)."""

    types: tuple[Sanction, ...]

    def named(self, name: str) -> Sanction:
        """Find a type. Errors: LookupError if the tables do not know it."""
        return self.types[self.place(name)]

    def place(self, name: str) -> int:
        """Say where a type stands, from 0: the lightest. Errors: LookupError."""
        for place, sanction in enumerate(self.types):
            if sanction.name == name:
                return place
        raise LookupError(f"the tables know no sanction {name!r}")

    def heavier(self, name: str, by: int) -> Sanction | None:
        """Give the type some steps heavier; None beyond the heaviest. Errors: LookupError."""
        place = self.place(name) + by
        return self.types[place] if place < len(self.types) else None


def order_of(rules: Rules) -> SanctionOrder:
    """Read `sanction.map.<level>`: names parted by `;`, with `<n> months` or `final` behind.

    Errors: RuleMissingError; ValueError naming the key, or the type that is named twice.
    """
    types = [sanction for level in LEVELS for sanction in _types_of(level, rules)]
    names = [sanction.name for sanction in types]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"sanctions named twice: {', '.join(sorted(twice))}")
    return SanctionOrder(tuple(types))


def _types_of(level: Level, rules: Rules) -> list[Sanction]:
    key = f"sanction.map.{level}"
    return [_sanction(level, item, key) for item in rules.items(key)]


def _sanction(level: Level, item: str, key: str) -> Sanction:
    match item.split():
        case [name]:
            return Sanction(level, name, 0)
        case [name, "final"]:
            return Sanction(level, name, None)
        case [name, months, "months"] if months.isascii() and months.isdigit():
            return Sanction(level, name, int(months))
        case _:
            raise ValueError(f"rule {key!r} names no sanction: {item!r}")
