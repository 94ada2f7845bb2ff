"""The people of a simulation: who works where, by which hours, and how dutifully."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import NamedTuple

from shared.kernel.lines import is_active, line_in_force
from tools.simulate.names import MAN, WOMAN, Nips, name_of
from tools.simulate.places import EXTRA_OFFICES, OFFICES, RegencySpec

STAFF_PER_UNIT = 24  # About what one machine serves.
EXTRA_SHARE = 8  # One of so many works at the school or the hospital.
_CLASSES = ("PNS",) * 30 + ("CPNS",) * 2 + ("PPPK",) * 12 + ("PPPK_PARUH_WAKTU",) + ("PTT",) * 5
# Of each machine's people the first leads the unit, the second supervises the others.
_LEADER, _SUPERVISOR = 1, 2
_LEVELS = ("PELAKSANA",) * 6 + ("JF_AHLI_PERTAMA", "JF_AHLI_MUDA", "JF_KETERAMPILAN")


class Habit(NamedTuple):
    """How often: absent on a workday, then with a letter; late; a check-out forgotten."""

    absent: float
    letter: float
    late: float
    forgets: float


DUTIFUL = Habit(0.006, 0.95, 0.03, 0.01)
ORDINARY = Habit(0.02, 0.8, 0.12, 0.03)
CARELESS = Habit(0.05, 0.45, 0.35, 0.06)
CHRONIC = Habit(0.22, 0.15, 0.5, 0.1)
# Most are present: of a hundred people 78, 18, 3 and 1.
_HABITS = (DUTIFUL,) * 78 + (ORDINARY,) * 18 + (CARELESS,) * 3 + (CHRONIC,)


class Unit(NamedTuple):
    """A row of units.csv and its machine."""

    unit_id: str
    spec: RegencySpec
    name: str
    parent: str | None
    head: str
    style: str
    serial: str


class Line(NamedTuple):
    """A line of a person's history: what changes with it. `recorded_at` is as written."""

    unit: Unit
    employment: str
    active_from: date
    active_to: date | None
    recorded_at: str
    schedule_id: str | None = None


class Posting(NamedTuple):
    """A PIN on a machine, from a date to another; `recorded_at` if it became known late."""

    serial: str
    pin: str
    begins: date
    ends: date | None
    recorded_at: str | None = None


class Letter(NamedTuple):
    """A row of excuses.csv."""

    first: date
    last: date
    kind: str
    recorded_at: str
    revoked_at: str | None = None


@dataclass
class Person:
    """One person: the lines and PINs over time, and what is to happen."""

    employee_id: str
    nip: str | None
    name: str
    position: str
    supervisor: str | None
    habit: Habit
    lines: list[Line]
    postings: list[Posting]
    style: str
    roster: int = 0
    absent: set[date] = field(default_factory=set)
    letters: list[Letter] = field(default_factory=list)
    later_nip: str | None = None  # Contract staff get one with the first appointment.
    always_late: int = 0  # Minutes.
    later: tuple[date, str] | None = None  # Other hours, from a date on.

    @property
    def unit(self) -> Unit:
        """Give the first unit."""
        return self.lines[0].unit

    def style_on(self, on: date) -> str:
        """Give the hours that the person keeps on a date."""
        return self.later[1] if self.later and on >= self.later[0] else self.style

    def line_on(self, on: date) -> Line | None:
        """Give the line in force on a date by the whole history; None before and after."""
        line = line_in_force(self.lines, on)
        return line if line is not None and is_active(line, on) else None

    def posting_on(self, on: date) -> Posting | None:
        """Give the PIN that the person uses on a date."""
        found = [p for p in self.postings if p.begins <= on <= (p.ends or date.max)]
        return found[-1] if found else None


class Town(NamedTuple):
    """The units and people of one regency."""

    spec: RegencySpec
    units: list[Unit]
    people: list[Person]


def share(employees: int, regencies: Sequence[RegencySpec]) -> list[int]:
    """Divide people among regencies by weight; each has at least one while there are enough."""
    whole = sum(spec.weight for spec in regencies)
    shares = [employees * spec.weight // whole for spec in regencies]
    for place in range(employees - sum(shares)):
        shares[place % len(shares)] += 1
    return shares


def settle(spec: RegencySpec, count: int, first: int, begins: date, dice: Random) -> Town:
    """Give a regency its units and people; ids go on from `first`."""
    town = Town(spec, [], [])
    extra = count // EXTRA_SHARE if spec.extra and count >= 2 * EXTRA_SHARE else 0
    sizes = [(spec.style, size) for size in _sizes(count - extra)]
    if extra and spec.extra:
        sizes += [(spec.extra, size) for size in _sizes(extra)]
    nips = Nips(dice)
    number = first
    for place, (style, size) in enumerate(sizes):
        town.units.append(_unit(town, place, style, f"P{number:06}"))
        for pin in range(1, size + 1):
            town.people.append(_person(town, number, pin, begins, (dice, nips)))
            number += 1
    return town


def _sizes(count: int) -> Iterator[int]:
    units = max(1, round(count / STAFF_PER_UNIT)) if count else 0
    for place in range(units):
        yield count // units + (place < count % units)


def _unit(town: Town, place: int, style: str, head: str) -> Unit:
    spec = town.spec
    number, again = place % len(OFFICES), place // len(OFFICES)
    name = EXTRA_OFFICES.get(style, OFFICES[number]) + (f" {again + 1}" if again else "")
    code = spec.code.replace(".", "")
    parent = town.units[0].unit_id if town.units else None
    return Unit(
        f"{code}-{place + 1:02}", spec, name, parent, head, style, f"TRT{code}{place + 1:03}"
    )


def _person(
    town: Town, number: int, pin: int, begins: date, chance: tuple[Random, Nips]
) -> Person:
    dice, nips = chance
    unit = town.units[-1]
    leads = pin == _LEADER
    employment = "PNS" if leads or pin == _SUPERVISOR else dice.choice(_CLASSES)
    sex = dice.choice((MAN, WOMAN))
    nip, appointed = nips.next(sex, employment, begins)
    position = (
        "JPT_PRATAMA" if leads else "PENGAWAS" if pin == _SUPERVISOR else dice.choice(_LEVELS)
    )
    recorded_at = f"{begins.isoformat()}T00:30:00"
    own = f"P{number:06}"
    above = unit.head if pin <= _SUPERVISOR else f"P{number - pin + _SUPERVISOR:06}"
    if leads:
        above = town.units[0].head
    return Person(
        employee_id=own,
        nip=nip,
        name=name_of(dice, sex),
        position=position,
        supervisor=None if above == own else above,
        habit=DUTIFUL if leads else dice.choice(_HABITS),
        lines=[Line(unit, employment, appointed, None, recorded_at)],
        postings=[Posting(unit.serial, str(pin), appointed, None)],
        style=unit.style,
        roster=dice.randrange(8),
        later_nip=nips.next(sex, "PPPK", begins)[0] if nip is None else None,
    )
