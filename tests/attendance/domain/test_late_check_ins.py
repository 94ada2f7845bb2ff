"""Check-ins that come late, in any order, among everything else that a log holds.

Night shifts, rosters, moves, PINs that change hands, schedules and letters that come late
themselves: when a check-in became known decides nothing once all evidence windows have ended.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import count
from operator import itemgetter
from random import Random
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.attendance.domain.person import Person
from services.attendance.projection.assessor import Assessor
from shared.events.envelope import Envelope, canonical
from shared.runtime.processing.in_memory import InMemoryProjection
from tests.attendance.logs import log

PEOPLE, DAYS, AFTER = 6, 30, 45
WINDOWS = 25  # Days; longer than any evidence window of the examples.
SOON, MUCH_LATER = 40, 600  # Facts.
Outcome = dict[str, dict[int, tuple[Any, ...]]]


def delayed(
    facts: Sequence[Envelope], dice: Random, moves: Callable[[Envelope], bool]
) -> list[Envelope]:
    """Give a log in which some facts come later, each told when the fact before it was.

    All others keep their order. None comes within the windows before the end of the log.
    """
    closed = max(f.data.on for f in facts if type(f.data).__name__ == "WorkdayClosed")
    last = next(at for at, f in enumerate(facts) if was_closed(f, closed - timedelta(WINDOWS)))
    places: list[tuple[float, Envelope]] = []
    for at, fact in enumerate(facts):
        delay = 0.0
        if moves(fact):
            delay = dice.choice((0, 0, dice.uniform(0, SOON), dice.uniform(0, MUCH_LATER)))
        places.append((max(float(at), min(at + delay, last - 0.5)), fact))
    told: list[Envelope] = []
    numbers = count(1)
    for _, fact in sorted(places, key=itemgetter(0)):
        late = moves(fact) and bool(told) and fact.recordedtime < told[-1].recordedtime
        now = replace(fact, recordedtime=told[-1].recordedtime) if late else fact
        told.append(now if now.broadcastseq is None else replace(now, broadcastseq=next(numbers)))
    return told


def was_closed(fact: Envelope, day: date) -> bool:
    return type(fact.data).__name__ == "WorkdayClosed" and fact.data.on == day


def is_check_in(fact: Envelope) -> bool:
    return type(fact.data).__name__ == "CheckInRecorded"


def folded(facts: Sequence[Envelope]) -> tuple[dict[str, Person], dict[str, list[bytes]]]:
    """Give the people as they stand at the end, and what was told of them on the way."""
    folding = InMemoryProjection(Assessor(forgets=False))
    told: dict[str, list[bytes]] = {}
    for fact in facts:
        for event in folding.hear(fact):
            told.setdefault(event.subject, []).append(canonical(event))
    return folding.states, told


def outcomes(people: dict[str, Person], facts: Sequence[Envelope]) -> Outcome:
    """Give how the days stand whose windows have ended, without their history of revisions."""
    closed = max(f.data.on for f in facts if type(f.data).__name__ == "WorkdayClosed")
    return {
        name: {
            day: (s.status, s.late, s.early, s.missed, s.excuse_id, s.check_ins, s.schedule_id)
            for day, s in person.days.items()
            if day <= closed.toordinal() - WINDOWS
        }
        for name, person in people.items()
    }


def closed_before(facts: Sequence[Envelope]) -> int:
    """Count the check-ins that come when the date on which they happened is closed already."""
    closed, late = set(), 0
    for fact in facts:
        if is_check_in(fact):
            late += fact.data.occurred_at.date() in closed
        elif type(fact.data).__name__ == "WorkdayClosed":
            closed.add(fact.data.on)
    return late


def hard_things(people: dict[str, Person], facts: Sequence[Envelope]) -> Counter[str]:
    """Count what the examples are said to hold."""
    seen: Counter[str] = Counter()
    holders: dict[tuple[str, str], set[str]] = {}
    for person in people.values():
        seen["moved between regencies"] += len({line.regency for line in person.lines}) > 1
        seen["moved between units"] += len({line.unit_id for line in person.lines}) > 1
        nights = [s for s in person.days.values() if s.schedule_id == "malam" and s.check_ins]
        seen["night with check-ins"] += len(nights)
        seen["letter revoked"] += sum(excuse.revoked for excuse in person.excuses)
        seen.update(f"day {said.status}" for said in person.days.values())
    for fact in facts:
        if type(fact.data).__name__ == "PinAssigned":
            key = fact.data.serial, fact.data.pin
            holders.setdefault(key, set()).add(fact.data.employee_id)
        seen["by device"] += is_check_in(fact) and fact.data.device is not None
    seen["pin of several"] += sum(len(names) > 1 for names in holders.values())
    return seen


def test_when_a_check_in_became_known_decides_nothing_in_the_end() -> None:
    """Whatever the delays: the same status, minutes and check-ins of every day of everybody."""
    seen: Counter[str] = Counter()

    @settings(max_examples=60, deadline=None, phases=(Phase.reuse, Phase.generate))
    @given(st.integers(0, 19), st.integers(0, 2**32 - 1).map(Random))
    def holds(seed: int, dice: Random) -> None:
        facts = log(seed, PEOPLE, DAYS, AFTER)
        late = delayed(facts, dice, is_check_in)
        in_time, told = folded(facts)
        people, told_late = folded(late)

        stands = outcomes(in_time, facts)
        assert outcomes(people, late) == stands
        assert not any(day[0] == "pending" for days in stands.values() for day in days.values())
        seen.update(hard_things(people, facts))
        seen["late"] += closed_before(late) - closed_before(facts)
        seen["another history"] += told_late != told

    holds()
    assert seen["late"] > 1_000
    assert seen["another history"] > 40
    for hard in ("moved between regencies", "moved between units", "night with check-ins"):
        assert seen[hard] > 10, hard
    for hard in ("by device", "pin of several", "letter revoked", "day held", "day unexcused"):
        assert seen[hard] > 10, hard


def alone(facts: Sequence[Envelope]) -> Callable[[Envelope], bool]:
    """Say which facts of other kinds no other one could come before or after (semantics).

    A letter that is never revoked, an outage, and the only shift of a person's date, or the only
    row of a scope's date: of several the last recorded decides.
    """
    seen = Counter(_key(fact) for fact in facts)
    revoked = {f.data.excuse_id for f in facts if type(f.data).__name__ == "ExcuseRevoked"}

    def moves(fact: Envelope) -> bool:
        kind = type(fact.data).__name__
        if kind == "ExcuseRecorded":
            return fact.data.excuse_id not in revoked
        return kind in ("OutageDeclared", "ShiftAssigned", "CalendarPublished") and (
            seen[_key(fact)] == 1
        )

    return moves


def _key(fact: Envelope) -> tuple[Any, ...]:
    data = fact.data
    named = [getattr(data, name, None) for name in ("on", "scope", "outage_id", "excuse_id")]
    return type(data).__name__, fact.subject, *named


def statuses(stands: Outcome) -> Outcome:
    """Give days as they stand, whoever's letter it was; `off` is said of a day said before."""
    return {
        name: {day: (*some[:4], *some[5:]) for day, some in days.items() if some[0] != "off"}
        for name, days in stands.items()
    }


def test_when_other_facts_became_known_decides_nothing_where_no_order_is_named() -> None:
    """Letters, outages, single shifts and decrees: known late, they end in the same days.

    Not among rule sets that come late: a day is judged by those known when it is first said.
    """
    seen: Counter[str] = Counter()

    @settings(max_examples=40, deadline=None, phases=(Phase.reuse, Phase.generate))
    @given(st.integers(0, 19), st.integers(0, 2**32 - 1).map(Random))
    def holds(seed: int, dice: Random) -> None:
        facts = log(seed, PEOPLE, DAYS, AFTER, without="late rules")
        moves = alone(facts)
        late = delayed(facts, dice, moves)
        people, told_late = folded(late)
        in_time, told = folded(facts)

        assert statuses(outcomes(people, late)) == statuses(outcomes(in_time, facts))
        seen["another history"] += told_late != told
        seen.update(type(fact.data).__name__ for fact in facts if moves(fact))

    holds()
    assert seen["another history"] > 25
    for kind in ("ExcuseRecorded", "OutageDeclared", "ShiftAssigned", "CalendarPublished"):
        assert seen[kind] > 50, kind
