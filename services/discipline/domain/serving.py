"""Serving: which sanction runs when, if a second one takes effect while one is served.

Source: Peraturan BKN 6/2022 annex ex. 24a, 24b (verified), 22 (light ones; verified).
"""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from typing import Literal, NamedTuple

from services.discipline.domain.sanctions import Sanction, SanctionOrder

Standing = Literal["queued", "serving", "completed"]


class Spell(NamedTuple):
    """The time of one sanction: from `starts_on`, and no longer on `ends_on`.

    `cut_short` says that a heavier one finished it.
    """

    sanction: Sanction
    starts_on: date
    ends_on: date
    cut_short: bool = False

    def standing(self, on: date) -> Standing:
        """Say how it stands on a day. A sanction without months is completed on its first."""
        if on < self.starts_on:
            return "queued"
        return "serving" if on < self.ends_on else "completed"


def serve(
    spells: Iterable[Spell], name: str, in_force_on: date, order: SanctionOrder
) -> tuple[Spell, ...]:
    """Give the spells of a person after one more sanction took effect, in the order served.

    A heavier one finishes what is being served and starts at once, and what was queued follows
    it; any other waits until all before it have been served. A sanction without months is
    completed at once, and nothing is served after the end of service (derived). `spells` is the
    previous result: sanctions are added in the order in which they take effect.
    Errors: LookupError for a sanction that the tables do not know.
    """
    before = tuple(spells)
    new = order.named(name)
    running = next((s for s in before if s.standing(in_force_on) == "serving"), None)
    if running and order.place(name) > order.place(running.sanction.name):
        return _overtaken(before, running, new, in_force_on)
    starts_on = max([in_force_on, *(s.ends_on for s in before)]) if new.months else in_force_on
    return tuple(sorted([*before, _spell(new, starts_on)], key=lambda spell: spell.starts_on))


def _overtaken(
    before: tuple[Spell, ...], running: Spell, new: Sanction, on: date
) -> tuple[Spell, ...]:
    """Finish what runs, start the heavier one, and let what was queued follow it."""
    past = [spell for spell in before if spell.standing(on) == "completed"]
    after = [*past, running._replace(ends_on=on, cut_short=True), _spell(new, on)]
    for queued in (spell for spell in before if spell.standing(on) == "queued"):
        if new.months is None:
            after.append(Spell(queued.sanction, on, on, cut_short=True))
        else:
            after.append(_spell(queued.sanction, after[-1].ends_on))
    return tuple(after)


def months_after(day: date, months: int) -> date:
    """Give the same day of a later month, or its last day where that month is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _spell(sanction: Sanction, starts_on: date) -> Spell:
    return Spell(sanction, starts_on, months_after(starts_on, sanction.months or 0))
