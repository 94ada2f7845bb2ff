"""Summons: when to examine, and what follows when nobody comes.

Source: PP 94/2021 Pasal 26 (verified). The gap between letter and examination is written there
as "at the latest 7 working days"; the table ships exactly seven clear ones (annex ex. 10), and any
other gap is a warning, never a refusal.
"""

from datetime import date
from typing import Literal, NamedTuple

from services.discipline.domain.periods import Due, Ground, due, period
from services.discipline.domain.rulebook import Rules

GAP = "summons.gap"
NEXT_LETTER = "summons.next_letter"
LETTERS = "summons.letters"


class Gap(NamedTuple):
    """The working days between a letter and its examination, and what the table asks for."""

    clear_days: int
    asked: int

    @property
    def warning(self) -> Literal["short", "long"] | None:
        """Say whether an officer must look at the dates again; None: as the table has it."""
        if self.clear_days == self.asked:
            return None
        return "short" if self.clear_days < self.asked else "long"


def examination_on(letter_on: date, ground: Ground) -> Due:
    """Give the day of examination for a letter. Errors: RuleMissingError. Source: annex ex. 10."""
    return due(GAP, letter_on, ground)


def gap(letter_on: date, examined_on: date, ground: Ground) -> Gap:
    """Measure the clear working days between a letter and its examination.

    Errors: RuleMissingError; ValueError if the table does not count the gap in clear working days.
    """
    asked = period(GAP, ground.rules)
    if asked.unit != "clear working days":
        raise ValueError(f"rule {GAP!r} is not in clear working days: {asked.unit}")
    return Gap(ground.calendar.between(letter_on, examined_on), asked.length)


def next_letter_until(missed_on: date, ground: Ground) -> Due:
    """Give the last day for the next letter after a missed examination.

    Errors: RuleMissingError.
    """
    return due(NEXT_LETTER, missed_on, ground)


def after_no_show(letters: int, rules: Rules) -> Literal["SUMMONS", "NO_EXAMINATION"]:
    """Give the next step when a person did not come after so many letters.

    After the last letter the case is decided on the evidence, without an examination.
    Errors: RuleMissingError; ValueError for a count below 1.
    """
    if letters < 1:
        raise ValueError("nobody stays away from an examination without a letter")
    return "SUMMONS" if letters < rules.number(LETTERS) else "NO_EXAMINATION"
