"""Periods as the tables write them, and the dates that follow, with what each rests on."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from services.discipline.domain.rulebook import RuleRow, Rules
from shared.kernel.working_days import WorkCalendar

SPELLING = re.compile(r"([1-9][0-9]*) (days|working days|clear working days)")


@dataclass(frozen=True)
class Ground:
    """What every date of a case rests on: the rules of its act date, and a calendar."""

    rules: Rules
    calendar: WorkCalendar


class Period(NamedTuple):
    """A number of `days`, `working days` or `clear working days`, as a lawyer writes it."""

    length: int
    unit: str

    def after(self, day: date, calendar: WorkCalendar) -> date:
        """Give the day on which the period ends; the day after `day` is the first.

        Clear working days lie between: the period ends on the working day after the last.
        """
        if self.unit == "days":
            return day + timedelta(days=self.length)
        clear = 1 if self.unit == "clear working days" else 0
        return calendar.nth_after(day, self.length + clear)


class Due(NamedTuple):
    """A date, with the rule and the version of the calendar that it was counted with."""

    on: date
    rule: RuleRow
    calendar: str


def period(key: str, rules: Rules) -> Period:
    """Read the period of a rule. Errors: RuleMissingError; ValueError naming the key."""
    text = rules.value(key)
    spelt = SPELLING.fullmatch(text)
    if spelt is None:
        raise ValueError(f"rule {key!r} is not a period: {text!r}")
    return Period(int(spelt[1]), spelt[2])


def due(key: str, start: date, ground: Ground) -> Due:
    """Count the period of a rule from a day on. Errors: RuleMissingError; ValueError."""
    on = period(key, ground.rules).after(start, ground.calendar)
    return Due(on, ground.rules.row(key), ground.calendar.version)
