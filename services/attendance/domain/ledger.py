"""From counted days to thresholds: what stands, what is lost, what is reached (semantics C)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from services.attendance.domain.day_history import History
from services.attendance.domain.person import Said
from services.attendance.domain.reference_data import Knowledge
from services.attendance.domain.rules import RuleSet, Tier
from shared.events.attendance import Employment, Measure
from shared.kernel.local_time import year_of

CUMULATIVE: Final = "cumulative"
CONSECUTIVE: Final = "consecutive"

Rung = tuple[int, RuleSet]  # A day that raises the count by one, and the rule set that judges it.


class Count(NamedTuple):
    """A count: of a year, or of a run. `dates` are its absences, `rungs` hold conversions too."""

    measure: Measure
    rungs: tuple[Rung, ...]
    dates: tuple[int, ...]
    year: int | None  # None for a run: it has the year of the day that reaches a tier (C9).


@dataclass(frozen=True)
class Reached:
    """A tier newly reached."""

    klass: Employment
    measure: Measure
    year: int
    tier: Tier
    rules: RuleSet
    days: int
    dates: tuple[int, ...]
    converted: tuple[int, ...]  # Days whose minutes raised the count.


class Verdict(NamedTuple):
    """What a step changes."""

    lost: list[tuple[Said, int]]  # With the count that is left.
    reached: list[Reached]


def judge(
    history: History, said: Iterable[Said], knowledge: Knowledge, klass: Employment
) -> Verdict:
    """Compare the thresholds of a class with its days as they are now (C6, C8, C12)."""
    active = [s for s in said if s.active and s.klass == klass]
    years = list(_years(history, knowledge, klass))
    runs = list(_runs(history, knowledge, klass))
    lost: list[tuple[Said, int]] = []
    standing: list[tuple[Said, Count]] = []
    for threshold in active:
        counts = years if threshold.measure == CUMULATIVE else runs
        count = _holding(threshold, counts)
        if count is not None and len(count.rungs) >= threshold.threshold_days:
            standing.append((threshold, count))
        else:
            lost.append((threshold, _left(threshold, counts)))
    reached = [
        news
        for count in (*years, *runs)
        if (news := _newly_reached(klass, count, standing)) is not None
    ]
    return Verdict(lost, reached)


def in_order(verdicts: Iterable[Verdict]) -> Verdict:
    """Put what a step changes into the order in which it is published (C11).

    Lost first, the last reached first; then what is reached, the heaviest first, of equal weight
    the run; beyond that the order of classes, years and runs.
    """
    lost: list[tuple[Said, int]] = []
    reached: list[Reached] = []
    for verdict in verdicts:
        lost.extend(verdict.lost)
        reached.extend(verdict.reached)
    lost.sort(key=lambda pair: -pair[0].seq)
    reached.sort(key=lambda r: (-r.tier.weight, r.measure != CONSECUTIVE))
    return Verdict(lost, reached)


def _holding(threshold: Said, counts: Iterable[Count]) -> Count | None:
    """Find the count that holds all dates of a threshold: its year, or one run (C8, C12)."""
    for count in counts:
        if threshold.measure == CUMULATIVE and count.year != threshold.year:
            continue
        if set(threshold.dates) <= set(count.dates):
            return count
    return None


def _left(threshold: Said, counts: Iterable[Count]) -> int:
    """Count what is left of a lost threshold: in its year, or in the longest run of its days."""
    dates = set(threshold.dates)
    return max(
        (
            len(count.rungs)
            for count in counts
            if (
                count.year == threshold.year
                if threshold.measure == CUMULATIVE
                else not dates.isdisjoint(count.dates)
            )
        ),
        default=0,
    )


def _newly_reached(
    klass: Employment, count: Count, standing: Iterable[tuple[Said, Count]]
) -> Reached | None:
    """Find the highest tier at or below the count and above every one that stands (C6).

    The day that brings the count to a tier decides which ladder that is (C3).
    """
    above = max((s.threshold_days for s, holder in standing if holder is count), default=0)
    for days in range(len(count.rungs), above, -1):
        day, rules = count.rungs[days - 1]
        tier = rules.ladder(count.measure).get(days)
        if tier is not None:
            year = count.year if count.year is not None else year_of(day)
            converted = tuple(d for d, _ in count.rungs if d not in count.dates)
            return Reached(
                klass, count.measure, year, tier, rules, len(count.rungs), count.dates, converted
            )
    return None


def _years(history: History, knowledge: Knowledge, klass: str) -> Iterator[Count]:
    """Count the absences and converted minutes of each year (design 5.5, C4).

    Counts begin at zero with each calendar year: PP 94/2021, Pasal 15(1).
    """
    absences = list(history.absences(klass))
    # A day in time matters only if another rule set, with a longer measure, left carried minutes.
    every = any(history.has_rules_beside(name) for name in history.rule_names if name)
    minutes = sorted(
        d for d, m in history.converts.items() if (m or every) and history.class_of(d) == klass
    )
    for year in sorted({year_of(d) for d in (*absences, *minutes)}):
        dates = tuple(d for d in absences if year_of(d) == year)
        late = [d for d in minutes if year_of(d) == year]
        rungs = [(d, _rules(history, knowledge, d)) for d in dates]
        rungs.extend(_converted(history, knowledge, late))
        rungs.sort(key=lambda rung: rung[0])
        yield Count(CUMULATIVE, tuple(rungs), dates, year)


def _converted(history: History, knowledge: Knowledge, days: Iterable[int]) -> Iterator[Rung]:
    """Turn minutes into days in date order; what is left is carried within the year (C4)."""
    carried = 0
    for day in days:
        rules = _rules(history, knowledge, day)
        if rules.lateness is None:
            continue
        carried += history.converts[day]
        while carried >= rules.lateness:
            carried -= rules.lateness
            yield day, rules


def _runs(history: History, knowledge: Knowledge, klass: str) -> Iterator[Count]:
    """Cut the absences into unbroken runs (design 5.5); a run may cross the year's end (C10)."""
    run: list[Rung] = []
    for day in history.absences(klass):
        rules = _rules(history, knowledge, day)
        if run and (
            history.broken_between(run[-1][0], day, klass)
            or (year_of(run[-1][0]) != year_of(day) and not rules.crosses_year)
        ):
            yield _run(run)
            run = []
        run.append((day, rules))
    if run:
        yield _run(run)


def _run(run: list[Rung]) -> Count:
    return Count(CONSECUTIVE, tuple(run), tuple(day for day, _ in run), None)


def _rules(history: History, knowledge: Knowledge, day: int) -> RuleSet:
    name = history.rules_of(day)
    if name is None:
        raise LookupError(f"day {day} counts without a rule set")
    return knowledge.rule_sets[name]
