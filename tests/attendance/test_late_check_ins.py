"""Check-ins that come late, in any order, among everything else that a log holds (issue 4.2).

Night shifts, rosters, moves, PINs that change hands, schedules and letters that come late
themselves: when a check-in became known decides nothing once all evidence windows have ended.
"""

from collections import Counter
from collections.abc import Sequence
from operator import itemgetter
from random import Random
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.attendance.domain.person import Person
from services.attendance.projections import Assessor
from shared.events.envelope import Envelope, canonical
from shared.runtime.preview import InMemory
from tests.attendance.logs import log

PEOPLE, DAYS, AFTER = 6, 30, 45
WINDOWS = 25  # Days; longer than any evidence window of the examples.
SOON, MUCH_LATER = 40, 600  # Facts.
Outcome = dict[str, dict[int, tuple[Any, ...]]]


def delayed(facts: Sequence[Envelope], dice: Random) -> list[Envelope]:
    """Give a log in which check-ins come later, each told when the fact before it was.

    Facts of other kinds keep their order. None comes after the last fact of the log.
    """
    places: list[tuple[float, Envelope]] = []
    for at, fact in enumerate(facts):
        delay = 0.0
        if is_check_in(fact):
            delay = dice.choice((0, 0, dice.uniform(0, SOON), dice.uniform(0, MUCH_LATER)))
        places.append((min(at + delay, len(facts) - 1.5) if delay else float(at), fact))
    told: list[Envelope] = []
    for _, fact in sorted(places, key=itemgetter(0)):
        late = is_check_in(fact) and bool(told) and fact.recordedtime < told[-1].recordedtime
        told.append(replace(fact, recordedtime=told[-1].recordedtime) if late else fact)
    return told


def is_check_in(fact: Envelope) -> bool:
    return type(fact.data).__name__ == "CheckInRecorded"


def folded(facts: Sequence[Envelope]) -> tuple[dict[str, Person], dict[str, list[bytes]]]:
    """Give the people as they stand at the end, and what was told of them on the way."""
    folding = InMemory(Assessor(forgets=False))
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
        late = delayed(facts, dice)
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
