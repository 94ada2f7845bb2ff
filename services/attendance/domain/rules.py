"""Rule sets: legal numbers as published data. Which one is in force, how heavy a tier is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, get_args

from services.attendance.domain.schedule import EVERYWHERE
from shared.events.attendance import Employment, Level

LEVELS: dict[Level, int] = {level: n for n, level in enumerate(get_args(Level), 1)}
LEVEL_WEIGHT = 1_000
HEAVIEST_OF_LEVEL = 999
PNS: Final = "PNS"


@dataclass(frozen=True)
class Tier:
    """A count of days and what the law asks for at it; `weight` orders tiers (semantics D3)."""

    days: int
    level: Level
    sanction: str
    article: str
    weight: int


@dataclass(frozen=True, eq=False)
class RuleSet:
    """One version of a rule set, as published to one regency."""

    key: str
    id: str
    version: int
    digest: str
    regency: str
    applies_to: frozenset[str]
    effective_from: int
    window: int
    min_marks: int
    crosses_year: bool
    lateness: int | None
    cumulative: dict[int, Tier]
    consecutive: dict[int, Tier]

    def ladder(self, measure: str) -> dict[int, Tier]:
        """Give the ladder of a measure, by days."""
        return self.cumulative if measure == "cumulative" else self.consecutive


DEFAULT_MARKS = 1  # Days without a rule set are assessed with these (semantics C2).
DEFAULT_WINDOW = 3


def rule_set_from(data: Any, known_in: str) -> RuleSet:
    """Make a rule set of a `RuleSetPublished` (as struct), sent to the regency `known_in`."""
    yearly = {t.days: t for t in data.tiers.cumulative}
    place = {t.sanction: t.days for t in sorted(data.tiers.cumulative, key=lambda t: t.days)}
    counting = data.counting
    return RuleSet(
        key=f"{known_in}|{data.regency}|{data.id}|{data.version}",
        id=data.id,
        version=data.version,
        digest=data.digest,
        regency=data.regency,
        applies_to=frozenset(data.applies_to),
        effective_from=data.effective_from.toordinal(),
        window=counting.evidence_window_workdays,
        min_marks=counting.min_presence_marks,
        crosses_year=counting.run_crosses_year,
        lateness=counting.lateness_day_minutes,
        cumulative={d: _tier(t, t.days) for d, t in yearly.items()},
        consecutive={
            t.days: _tier(t, place.get(t.sanction, HEAVIEST_OF_LEVEL))
            for t in data.tiers.consecutive
        },
    )


def _tier(tier: Any, yearly_days: int) -> Tier:
    weight = LEVELS[tier.level] * LEVEL_WEIGHT + min(yearly_days, HEAVIEST_OF_LEVEL)
    return Tier(tier.days, tier.level, tier.sanction, tier.article, weight)


def in_force(known: Iterable[RuleSet], regency: str, employment: str, day: int) -> RuleSet | None:
    """Choose the rule set of an absence (design 5.7, semantics C3).

    Own regency before `*`, then the latest `effective_from` up to the day, then the highest
    version; of equals the last published.
    """
    best: RuleSet | None = None
    for rules in known:
        if (
            rules.effective_from > day
            or employment not in rules.applies_to
            or rules.regency not in (regency, EVERYWHERE)
        ):
            continue
        if best is None or _rank(rules) >= _rank(best):
            best = rules
    return best


def _rank(rules: RuleSet) -> tuple[bool, int, int]:
    return rules.regency != EVERYWHERE, rules.effective_from, rules.version


def marks_of(rules: RuleSet | None) -> int:
    """Give the marks that make a day present."""
    return DEFAULT_MARKS if rules is None else rules.min_marks


def window_of(rules: RuleSet | None) -> int:
    """Give the counting days of an evidence window."""
    return DEFAULT_WINDOW if rules is None else rules.window


def class_of(employment: Employment) -> Employment:
    """Name the class in which days add up: PNS and CPNS are one (semantics C1)."""
    return PNS if employment == "CPNS" else employment
