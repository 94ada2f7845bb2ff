"""Counts absences from the days as they stand, and says which tiers are reached (section C)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from tests.oracle.knowledge import Day
from tests.oracle.model import GROUPS, LEVELS, RuleSet, Tier

CUMULATIVE, CONSECUTIVE = "cumulative", "consecutive"


@dataclass(eq=False)
class Threshold:
    """One `AbsenceThresholdReached`, with days and dates as said then (C7)."""

    group: str
    year: int
    measure: str
    tier: Tier
    rule_set: RuleSet
    days: int
    dates: tuple[date, ...]
    active: bool = True

    @property
    def weight(self) -> tuple[int, float]:
        """Level first, then the days at which the yearly ladder has that sanction (D3)."""
        if self.measure == CUMULATIVE:
            return LEVELS[self.tier.level], self.tier.days
        found = [
            one.days for one in self.rule_set.cumulative if one.sanction == self.tier.sanction
        ]
        return LEVELS[self.tier.level], max(found, default=float("inf"))


@dataclass
class Count:
    """A count that went up one by one: the tier met at each height, and by whose ladder."""

    height: int = 0
    dates: list[date] = field(default_factory=list)
    tiers: dict[int, tuple[Tier, RuleSet, date]] = field(default_factory=dict)

    def rise(self, rules: RuleSet, ladder: tuple[Tier, ...], day: date) -> None:
        """Raise the count by one; the day that brings it to a tier decides the ladder (C3)."""
        self.height += 1
        for tier in ladder:
            if tier.days == self.height:
                self.tiers[self.height] = (tier, rules, day)


def sequence(days: list[Day], group: str) -> Iterator[tuple[Day, RuleSet, str]]:
    """Give, in date order, the days of one class that have a rule set and are not off (C1, C2)."""
    for entry in sorted(days, key=lambda one: one.day):
        if entry.rule_set is None or entry.said is None or entry.said.status == "off":
            continue
        if GROUPS[entry.employment] == group:
            yield entry, entry.rule_set, entry.said.status


def yearly(days: list[Day], group: str, year: int) -> Count:
    """Count the unexcused days of one year and class, lateness converted where it is on (C4)."""
    count, minutes = Count(), 0
    for entry, rules, status in sequence(days, group):
        if entry.day.year != year or entry.said is None:
            continue
        if status == "unexcused":
            count.rise(rules, rules.cumulative, entry.day)
            count.dates.append(entry.day)
        elif status == "present" and rules.lateness_minutes and not entry.covered:
            minutes += entry.said.late_minutes + entry.said.early_minutes
            while minutes >= rules.lateness_minutes:
                minutes -= rules.lateness_minutes
                count.rise(rules, rules.cumulative, entry.day)
    return count


def runs(days: list[Day], group: str) -> list[Count]:
    """Give the runs of unexcused days that nothing breaks (design 5.5, C10)."""
    found: list[Count] = []
    unbroken = False
    for entry, rules, status in sequence(days, group):
        if status in {"present", "excused"}:
            unbroken = False
        if status != "unexcused":
            continue
        new_year = unbroken and found[-1].dates[-1].year < entry.day.year
        if not unbroken or (new_year and not rules.crosses_year):
            found.append(Count())
        found[-1].rise(rules, rules.consecutive, entry.day)
        found[-1].dates.append(entry.day)
        unbroken = True
    return found


def stands(threshold: Threshold, days: list[Day]) -> bool:
    """Say whether a threshold still stands on the days as they are now (C12)."""
    if threshold.measure == CUMULATIVE:
        count = yearly(days, threshold.group, threshold.year)
        return count.height >= threshold.tier.days and set(threshold.dates) <= set(count.dates)
    return any(holds(run, threshold) for run in runs(days, threshold.group))


def holds(run: Count, threshold: Threshold) -> bool:
    return run.height >= threshold.tier.days and set(threshold.dates) <= set(run.dates)


def newly_reached(days: list[Day], standing: list[Threshold]) -> list[Threshold]:
    """Give what is reached now: per measure and year, or run, the highest new tier (C6, C8)."""
    reached: list[Threshold] = []
    for group in sorted(set(GROUPS.values())):
        own = [one for one in standing if one.group == group]
        for year in sorted({entry.day.year for entry in days}):
            blocking = [one for one in own if one.measure == CUMULATIVE and one.year == year]
            tier = highest(yearly(days, group, year), group, CUMULATIVE, blocking)
            reached += [tier] if tier else []
        for run in runs(days, group):
            blocking = [one for one in own if one.measure == CONSECUTIVE and holds(run, one)]
            tier = highest(run, group, CONSECUTIVE, blocking)
            reached += [tier] if tier else []
    return sorted(reached, key=heaviest_first)


def highest(count: Count, group: str, measure: str, blocking: list[Threshold]) -> Threshold | None:
    """Give the highest tier at or below the count and above every threshold left standing."""
    floor = max((one.tier.days for one in blocking), default=0)
    height = max((one for one in count.tiers if one > floor), default=None)
    if height is None:
        return None
    tier, rules, day = count.tiers[height]
    return Threshold(group, day.year, measure, tier, rules, count.height, tuple(count.dates))


def heaviest_first(threshold: Threshold) -> tuple[int, float, bool]:
    """Order what is reached in one step: heaviest first, of equal weight the run (C11)."""
    level, ladder = threshold.weight
    return -level, -ladder, threshold.measure != CONSECUTIVE
