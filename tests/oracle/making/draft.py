"""A dataset being made: rows of every file, and dice that do not disturb one another."""

import csv
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import yaml

from tests.oracle.tables import COLUMNS

T = TypeVar("T")
CLOCKS = (
    *("00:00:00", "00:30:00", "06:30:00", "08:00:00", "10:30:00", "11:30:00", "11:59:59"),
    *("12:00:00", "12:00:00", "12:00:01", "12:30:00", "13:30:00", "16:00:00", "23:59:59"),
)
"""Few times, many near a closing, so that facts often fall on one second or just beside it."""


@dataclass
class Draft:
    """Everything written so far. `spice` names the hard things that are wanted."""

    seed: int
    start: date
    days: int
    spice: Collection[str]
    rows: dict[str, list[list[str]]] = field(default_factory=lambda: defaultdict(list))
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    punches: dict[str, list[tuple[datetime, bytes]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    @property
    def through(self) -> date:
        return self.start + timedelta(days=self.days - 1)

    def dice(self, what: str) -> Random:
        """Give dice for one purpose: leaving a spice out does not change the others' throws."""
        return Random(f"{self.seed}/{what}")  # noqa: S311  # Test data, not a secret.

    def wants(self, spice: str) -> bool:
        return spice in self.spice

    def add(self, file: str, *cells: object) -> None:
        self.rows[file].append(["" if one is None else str(one) for one in cells])

    def day(self, dice: Random, first: int = 0, last: int = 0) -> date:
        """Give a random day, from `first` days after the start to `last` days after the end."""
        return self.start + timedelta(days=dice.randint(first, max(first, self.days - 1 + last)))

    def write(self, folder: Path) -> None:
        for name, columns in COLUMNS.items():
            header = columns.split(",")
            rows = self.rows[name]
            if name == "pins.csv" and any(len(row) > len(header) for row in rows):
                header.append("recorded_at")
                rows = [row + [""] * (len(header) - len(row)) for row in rows]
            if rows:
                write_table(folder / name, header, rows)
        for name, tree in self.documents.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
        for serial, lines in self.punches.items():
            path = folder / "attlog" / f"{serial}.dat"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"".join(line for _, line in lines))


def write_table(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def stamp(dice: Random, day: date, zone: str | None = None) -> str:
    """Write a time on a day in one of the forms of A4, often a round one.

    With a zone, the same time is sometimes written with its offset.
    """
    clock = time.fromisoformat(dice.choice(CLOCKS))
    if dice.random() < 0.4:
        clock = time(dice.randrange(24), dice.randrange(60), dice.randrange(60))
    moment = datetime.combine(day, clock)
    if zone is not None and dice.random() < 0.15:
        return moment.replace(tzinfo=ZoneInfo(zone)).isoformat()
    if clock == time() and dice.random() < 0.5:
        return day.isoformat()
    text = moment.isoformat(sep=dice.choice("TT "))
    return text[:-3] if clock.second == 0 and dice.random() < 0.3 else text


def some(dice: Random, share: float) -> bool:
    return dice.random() < share
