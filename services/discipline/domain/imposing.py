"""What sanction is to be imposed: of several violations, of one repeated, of one left unpunished.

These are proposals like any other: a named official decides. What no source settles comes back
with a reason for `review`.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from services.discipline.domain.authority import Post, next_above
from services.discipline.domain.rulebook import Rules
from services.discipline.domain.sanctions import Sanction, SanctionOrder, order_of

# One step heavier than the last light type is a medium one, and nothing is heavier than dismissal:
# both follow from the words "heavier than", neither from an example.
Review = Literal["crosses_level", "nothing_heavier"]


class Violation(NamedTuple):
    """A violation found: its kind, what the law asks for it, what the same kind last brought."""

    kind: str
    asked: str
    last: str | None = None


class Imposition(NamedTuple):
    """The sanction that is due, and why a lawyer must look at it first, if one must."""

    sanction: Sanction
    review: Review | None = None


class Neglect(NamedTuple):
    """Who acts when a superior did not, on whom, and with what. He is examined before, too."""

    acting: Post
    negligent: Post
    superior: Imposition
    employee: Sanction


def imposition(violations: Sequence[Violation], rules: Rules) -> Imposition:
    """Give the one sanction for all violations of one examination: the heaviest.

    A kind that was punished before brings more than the last time, unless the rule
    `repetition.excepts` names it: absences, whose punished days stay in the yearly sum.
    Errors: RuleMissingError; ValueError without a violation; LookupError for an unknown sanction.
    Source: PP 94/2021 Pasal 35(3) (secondary), annex ex. 18b, 18c (verified); Peraturan BKN
    6/2022 Pasal 46(7) (secondary).
    """
    if not violations:
        raise ValueError("without a violation there is no sanction")
    order = order_of(rules)
    due = [_for_one(violation, order, rules) for violation in violations]
    return max(due, key=lambda each: order.place(each.sanction.name))


def neglect(owed: str, negligent: Post, chain: Sequence[Post], rules: Rules) -> Neglect:
    """Say what follows when an official did not punish though he had to.

    His own superior acts: on the employee with what was owed, on the official with more, after
    an examination. `chain` is every post above the employee, nearest first.
    Errors: RuleMissingError; ValueError if the official is not in the chain; NobodyMayPunishError;
    LookupError for an unknown sanction. Source: PP 94/2021 Pasal 28, annex ex. 7 (verified).
    """
    order = order_of(rules)
    more = _heavier(owed, order, rules.number("neglect.heavier_by"))
    return Neglect(next_above(negligent, chain), negligent, more, order.named(owed))


def _for_one(violation: Violation, order: SanctionOrder, rules: Rules) -> Imposition:
    """Give what one violation brings: what the law asks, or more than the last time."""
    asked = order.named(violation.asked)
    if violation.last is None or violation.kind in rules.items("repetition.excepts"):
        return Imposition(asked)
    if order.place(asked.name) > order.place(violation.last):
        return Imposition(asked)
    return _heavier(violation.last, order, rules.number("repetition.heavier_by"))


def _heavier(name: str, order: SanctionOrder, by: int) -> Imposition:
    than = order.named(name)
    more = order.heavier(name, by)
    if more is None:
        return Imposition(order.types[-1], "nothing_heavier")
    return Imposition(more, None if more.level == than.level else "crosses_level")
