"""Ordinary absences and their letters: before, on time, late, and none."""

from datetime import date, timedelta
from random import Random

from tools.simulate.calendar import Calendar
from tools.simulate.people import Letter, Person
from tools.simulate.places import HOURS, ON_HOLIDAYS, ROSTER

KINDS = ("sakit", "sakit", "sakit", "cuti tahunan", "izin alasan penting", "dinas luar")
DAY = timedelta(1)
Span = tuple[date, date]


def shift_on(person: Person, begins: date, on: date) -> str | None:
    """Give a hospital's shift of a person; None is a free day."""
    return ROSTER[((on - begins).days + person.roster) % len(ROSTER)]


def workdays(person: Person, calendar: Calendar, span: Span) -> list[date]:
    """Give the dates on which a person is required, by the whole history and all decrees."""
    begins, ends = span
    days = [begins + place * DAY for place in range((ends - begins).days + 1)]
    return [on for on in days if is_asked(person, calendar, begins, on)]


def is_asked(person: Person, calendar: Calendar, begins: date, on: date) -> bool:
    """Say whether a person is required on a date."""
    line, style = person.line_on(on), person.style_on(on)
    if line is None:
        return False
    if style == "rs":
        return shift_on(person, begins, on) in ON_HOLIDAYS
    return on.weekday() in HOURS[style][0].week and not calendar.is_off(line.unit.spec.code, on)


def stay_away(person: Person, asked: list[date], dice: Random) -> None:
    """Let a person miss days, one or a few running, with a letter or without."""
    place = 0
    while place < len(asked):
        if dice.random() >= person.habit.absent:
            place += 1
            continue
        missed = asked[place : place + dice.choice((1, 1, 1, 2, 2, 3))]
        person.absent.update(missed)
        if dice.random() < person.habit.letter:
            person.letters.append(_letter(missed[0], missed[-1], dice))
        place += len(missed) + 1


def _letter(first: date, last: date, dice: Random) -> Letter:
    """Write a letter: before the days, on the first, soon after, or late."""
    kind = dice.choice(KINDS)
    after = dice.choices((-4, 0, 1, 3, 12), (4, 10, 6, 4, 1))[0]
    on = first + after * DAY
    clock = f"{dice.randint(7, 15):02}:{dice.randint(0, 59):02}"
    return Letter(first, last, kind, f"{on.isoformat()}T{clock}:00")
