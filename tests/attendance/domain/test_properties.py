"""What holds for every log, whatever the order in which things come."""

from collections import defaultdict
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.attendance.projection.assessor import Assessor
from shared.events.envelope import Envelope, canonical
from shared.runtime.processing.in_memory import InMemoryProjection
from tests.attendance.previews import log_of
from tests.attendance.world import World, on
from tests.oracle.datasets import SPICES, write_dataset

FIRST, DAYS, LATEST = on("2026-01-05"), 12, 9
PEOPLE = ("A", "B")  # In the office, and at night.
NIGHT = (
    ("masuk", "19:00", "20:00", "22:00", "presence", "in"),
    ("pulang", "28:00", "29:00", "31:00", "presence", "out"),
)
CLOCKS = ("06:45", "07:29", "08:10", "12:00", "15:20", "16:30", "19:40", "21:59", "03:50", "05:10")

punches = st.sets(
    st.tuples(st.sampled_from(PEOPLE), st.integers(0, DAYS - 1), st.sampled_from(CLOCKS)),
    max_size=60,
).map(sorted)
Punch = tuple[str, int, str]


def place() -> World:
    """Give an office and a night watch, with a letter, a holiday and an outage among the days."""
    world = World()
    world.schedule("malam", dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat"), NIGHT))
    world.at("2026-01-02T08:00:00").hire("A")
    world.hire("B", schedule_id="malam")
    world.excuse("X1", "2026-01-07", "2026-01-07")
    world.holiday("2026-01-09")
    world.outage("O1", "2026-01-12T05:00:00", "2026-01-12T20:00:00")
    return world


def outcomes(world: World) -> dict[str, dict[int, tuple[Any, ...]]]:
    """Give how every day stands, without its history of revisions."""
    return {
        who: {
            day: (s.status, s.late, s.early, s.missed, s.excuse_id, s.check_ins)
            for day, s in world.person(who).days.items()
        }
        for who in PEOPLE
    }


def told_with(arriving: dict[int, list[Punch]]) -> World:
    """Close day after day, hearing each day's punches before its closing, until windows end."""
    world = place()
    for number in range(DAYS + LATEST + 10):
        day = FIRST + timedelta(days=number)
        world.at(f"{day}T23:00:00")
        for who, since, clock in arriving.get(number, ()):
            world.tap(f"{FIRST + timedelta(days=since)}T{clock}:00", who=who)
        world.close(day.isoformat())
    return world


@settings(max_examples=60, deadline=None)
@given(punches, st.data())
def test_the_order_in_which_punches_arrive_changes_no_status(
    heard: list[Punch], data: st.DataObject
) -> None:
    """Once all windows have ended it is as if every punch had come in time."""
    in_time: dict[int, list[Punch]] = defaultdict(list)
    late: dict[int, list[Punch]] = defaultdict(list)
    delays = data.draw(
        st.lists(st.integers(0, LATEST), min_size=len(heard), max_size=len(heard)), "delays"
    )
    for punch, delay in zip(data.draw(st.permutations(heard), "order"), delays, strict=True):
        in_time[punch[1]].append(punch)
        late[punch[1] + delay].append(punch)

    assert outcomes(told_with(late)) == outcomes(told_with(in_time))


@cache
def log(seed: int) -> tuple[Envelope, ...]:
    """Give the log of a small random dataset, every hard thing in it."""
    with TemporaryDirectory() as folder:
        dataset = Path(folder) / "dataset"
        through = write_dataset(dataset, seed, 6, 30, SPICES - {"bad rows"})
        return tuple(log_of(dataset, through))


@cache
def undisturbed(seed: int) -> dict[str, list[bytes]]:
    return told_by_subject(list(log(seed)))


def told_by_subject(facts: list[Envelope]) -> dict[str, list[bytes]]:
    folding = InMemoryProjection(Assessor(forgets=False))
    told: dict[str, list[bytes]] = defaultdict(list)
    for fact in facts:
        for event in folding.hear(fact):
            told[event.subject].append(canonical(event))
    return told


seeds = st.integers(0, 7)


@settings(max_examples=40, deadline=None)
@given(seeds, st.data())
def test_what_is_heard_again_is_no_news(seed: int, data: st.DataObject) -> None:
    """At once or much later: nothing follows from it, and what comes after is as it was."""
    facts = list(log(seed))
    places = st.integers(0, len(facts) - 1)
    again: dict[int, list[Envelope]] = defaultdict(list)
    for first, second in data.draw(st.lists(st.tuples(places, places), max_size=30), "again"):
        again[max(first, second)].append(facts[min(first, second)])
    folding = InMemoryProjection(Assessor(forgets=False))
    told: dict[str, list[bytes]] = defaultdict(list)
    for number, fact in enumerate(facts):
        for event in folding.hear(fact):
            told[event.subject].append(canonical(event))
        for repeated in again[number]:
            assert folding.hear(repeated) == []

    assert told == undisturbed(seed)


@settings(max_examples=40, deadline=None)
@given(seeds, st.randoms(use_true_random=False))
def test_people_do_not_interfere(seed: int, dice: Any) -> None:
    """However the facts of several people are mixed between two broadcasts, each ends alike."""
    mixed: list[Envelope] = []
    stretch: dict[str, list[Envelope]] = defaultdict(list)

    def mix() -> None:
        turns = [subject for subject, own in stretch.items() for _ in own]
        dice.shuffle(turns)
        mixed.extend(stretch[subject].pop(0) for subject in turns)

    for fact in log(seed):
        if fact.broadcastseq is None:
            stretch[fact.subject].append(fact)
        else:
            mix()
            mixed.append(fact)
    mix()

    assert len(mixed) == len(log(seed))
    assert told_by_subject(mixed) == undisturbed(seed)


def test_the_logs_have_something_to_disturb() -> None:
    """Several people tell thresholds in them, and are told of in turns."""
    for seed in range(8):
        assert sum(any(b"Threshold" in e for e in own) for own in undisturbed(seed).values()) > 1
