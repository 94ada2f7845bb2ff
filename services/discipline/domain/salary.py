"""The salary track: pay stops after ten running days, and money moves back both ways.

It is no sanction and does not wait for one. No amounts are computed here: the result is an
instruction for one month, and when a finding changes, a compensating instruction follows.
Source: PP 94/2021 Pasal 15(2) (verified), Peraturan BKN 6/2022 annex ex. 23 (verified).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal, NamedTuple

from services.discipline.domain.rulebook import Rules

Treated = Literal["paid", "stopped"]  # What became of a month's pay so far.
Kind = Literal["restore", "return"]


class Month(NamedTuple):
    """A month of pay; months compare by time."""

    year: int
    month: int

    def plus(self, months: int) -> "Month":
        """Give the month so many later."""
        years, month = divmod(self.month - 1 + months, 12)
        return Month(self.year + years, month + 1)


class Instruction(NamedTuple):
    """A correction of one month's pay: `restore` what was stopped, `return` what was paid."""

    kind: Kind
    month: Month


def unpaid_from(run: Sequence[date], rules: Rules) -> Month | None:
    """Give the first month without pay for an unbroken run of unexcused days; None: none is.

    `run` are the dates of one run, in order, as attendance says them or an examination proved
    them. The month is counted from the day that reached the number, not from the decision.
    Errors: RuleMissingError; ValueError if the dates are not in order.
    Source: PP 94/2021 Pasal 15(2): from the month after (verified; ex. 5d, recomputed).
    """
    if list(run) != sorted(set(run)):
        raise ValueError("the dates of a run are not in order")
    days = rules.number("salary.stop.running_days")
    if len(run) < days:
        return None
    reached_on = run[days - 1]
    later = rules.number("salary.stop.months_later")
    return Month(reached_on.year, reached_on.month).plus(later)


def corrections(
    treated: Mapping[Month, Treated], stops: Month | None, resumes: Month | None = None
) -> Sequence[Instruction]:
    """Give the months whose pay differs from what is now found, earliest first.

    `treated` are the months settled so far; `stops` is the first month without pay and
    `resumes` the first one paid again, once somebody works (None: nobody has resumed).
    What is found again needs no instruction. Source: annex ex. 23-1, and the rule of 23-2.
    """
    due = {month: _due(month, stops, resumes) for month in sorted(treated)}
    return [
        Instruction("restore" if due[month] == "paid" else "return", month)
        for month in due
        if due[month] != treated[month]
    ]


def corrected(
    treated: Mapping[Month, Treated], instructions: Sequence[Instruction]
) -> Mapping[Month, Treated]:
    """Give the months as they are settled once the instructions are carried out."""
    after: dict[Kind, Treated] = {"restore": "paid", "return": "stopped"}
    return {**treated, **{each.month: after[each.kind] for each in instructions}}


def _due(month: Month, stops: Month | None, resumes: Month | None) -> Treated:
    """Say whether a month should be paid or stopped."""
    resumed = resumes is not None and month >= resumes
    return "stopped" if stops is not None and month >= stops and not resumed else "paid"
