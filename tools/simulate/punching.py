"""When people are at the machine: the seconds of a day's check-ins."""

from collections.abc import Iterator
from datetime import date
from random import Random

from tools.simulate.calendar import RAMADAN_BEGINS, RAMADAN_ENDS
from tools.simulate.people import Person
from tools.simulate.places import HOURS, RAMADAN, Mark

MINUTE = 60
_EARLY = 14  # Minutes before the hour, at which most people come.
_BEFORE = 10.0  # Minutes: nobody stands at the machine longer before it opens.
_MEAN_LATENESS = 12
_LEAVES_EARLY = 0.015
_SKIPS = 0.04  # A mark in the middle of the day.


def marks_on(style: str, shift: str | None, on: date) -> tuple[Mark, ...]:
    """Give what a day asks for."""
    if style == "rs":
        return next((h.week[on.weekday()] for h in HOURS["rs"] if h.id == shift), ())
    hours = HOURS[style][0]
    if style == "kantor" and RAMADAN_BEGINS <= on < RAMADAN_ENDS:
        hours = RAMADAN
    return hours.week.get(on.weekday(), ())


def seconds_of(person: Person, marks: tuple[Mark, ...], dice: Random) -> Iterator[int]:
    """Give the check-ins of a day of presence. Units: seconds after midnight, past it too."""
    chance, habit, some = dice.random, person.habit, False
    for mark in marks:
        if mark.kind == "apel":
            continue  # Who comes early and stays to the end is there.
        if mark.direction == "in":
            early = min(_EARLY, (mark.due - mark.opens) / 2)
            minute = mark.due - early + dice.gauss(0.0, early / 2)
            if person.always_late:
                minute = mark.due + person.always_late + dice.gauss(0.0, 4.0)
            elif chance() < habit.late:
                minute = mark.due + dice.expovariate(1 / _MEAN_LATENESS)
        elif mark.direction == "out":
            if some and chance() < habit.forgets:
                continue
            minute = mark.due + abs(dice.gauss(4.0, 6.0))
            if chance() < _LEAVES_EARLY:
                minute = mark.due - dice.uniform(5, 50)
        elif chance() < _SKIPS:
            continue
        else:
            minute = dice.uniform(mark.opens, mark.closes)
        some = True
        yield int(max(minute, mark.opens - dice.uniform(0.0, _BEFORE)) * MINUTE)
