"""Remedies: objection or appeal, and until when. Source: PP 79/2021 (secondary)."""

from datetime import date
from typing import Literal, NamedTuple

from services.discipline.domain.periods import Due, Ground, due
from services.discipline.domain.rulebook import Rules
from services.discipline.domain.sanctions import Sanction

Remedy = Literal["objection", "appeal"]


class RemedyLimits(NamedTuple):
    """The last day that is safe on any reading, and the last one that is admissible on one.

    People are told the safe day; a paper that came by the admissible one is not turned away.
    """

    safe: Due
    admissible: Due


def remedy_against(sanction: Sanction, *, by_ppk: bool, rules: Rules) -> Remedy | None:
    """Say what is open against a decision: an appeal to BPASN, or an objection to a superior.

    An appeal lies against a dismissal by the PPK, an objection against all else; whether
    against a light sanction is a row of the table, and None says that nothing is open.
    Errors: RuleMissingError; ValueError. Source: PP 79/2021 Pasal 1(4), (5) (secondary).
    """
    if by_ppk and sanction.name in rules.items("appeal.against"):
        return "appeal"
    if sanction.level == "ringan":
        allowed = rules.choice("objection.light", "allowed", "excluded")
        return "objection" if allowed == "allowed" else None
    return "objection"


def remedy_limits(
    remedy: Remedy, decided_on: date, received_on: date, ground: Ground
) -> RemedyLimits:
    """Give both last days of a remedy.

    The rule `<remedy>.start` is `decided`, `received` or `both`: the sources differ, and with
    `both` the earlier day is safe and the later admissible. Errors: RuleMissingError; ValueError.
    Source: PP 79/2021 Pasal 11 (secondary).
    """
    start = ground.rules.choice(f"{remedy}.start", "decided", "received", "both")
    starts = {
        "decided": [decided_on],
        "received": [received_on],
        "both": [decided_on, received_on],
    }[start]
    ends = [due(f"{remedy}.limit", each, ground) for each in starts]
    return RemedyLimits(min(ends, key=_on), max(ends, key=_on))


def _on(end: Due) -> date:
    return end.on
