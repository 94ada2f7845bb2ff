"""A rule that changes what was said: from `FoldAdopted` on, and as ordinary events (design 4)."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.attendance.projection.assessor import Assessor
from shared.events.base import UnknownFoldVersionError
from shared.events.envelope import Envelope
from shared.runtime.processing.in_memory import InMemoryProjection
from tests.attendance.logs import log
from tests.attendance.second_version import SecondVersion, adoption, allow
from tests.attendance.world import World

LATE = ("2026-01-05", "2026-01-06", "2026-01-07")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Give an office in which A was late by eighty minutes three times, and B never."""
    allow(monkeypatch)
    office = World(assessor=SecondVersion(forgets=False))
    office.hire("A")
    office.hire("B")
    for day in LATE:
        office.tap(f"{day}T08:50:00", f"{day}T16:05:00")
        office.work(day, "B")
        office.close(day)
    return office


def said(told: list[Envelope]) -> list[tuple[str, str, int | None]]:
    """Give kinds, subjects and numbers."""
    return [(type(each.data).__name__, each.subject, each.subjectseq) for each in told]


def test_before_it_the_first_version_concludes(world: World) -> None:
    assert set(world.statuses("A").values()) == {"present"}
    assert world.thresholds("A") == []


def test_at_it_the_difference_is_said_and_numbers_go_on(world: World) -> None:
    told = world.at("2026-01-08T13:00:00").adopt(2)

    assert said(told) == [
        ("WorkdayAssessed", "A", 4),
        ("WorkdayAssessed", "A", 5),
        ("WorkdayAssessed", "A", 6),
        ("AbsenceThresholdReached", "A", 7),
    ]
    assert [each.data.revision for each in told[:3]] == [2, 2, 2]
    assert {each.regency for each in told} == {"53.01"}  # The person's, not that of the fact.
    assert {each.recordedtime for each in told} == {"2026-01-08T13:00:00+08:00"}
    assert set(world.statuses("A").values()) == {"unexcused"}


def test_behind_it_the_second_version_concludes(world: World) -> None:
    world.at("2026-01-08T13:00:00").adopt(2)
    world.tap("2026-01-08T08:50:00", "2026-01-08T16:05:00")
    world.work("2026-01-08", "B")

    world.close("2026-01-08")

    assert world.statuses("A")["2026-01-08"] == "unexcused"
    assert world.statuses("B")["2026-01-08"] == "present"


def test_adopted_once_more_it_says_nothing(world: World) -> None:
    world.at("2026-01-08T13:00:00").adopt(2)

    assert world.adopt(2) == []


def test_the_way_back_is_said_as_well(world: World) -> None:
    world.at("2026-01-08T13:00:00").adopt(2)

    told = world.adopt(1)

    assert [kind for kind, _, _ in said(told)] == [*["WorkdayAssessed"] * 3, RETRACTED]
    assert set(world.statuses("A").values()) == {"present"}


RETRACTED = "AbsenceThresholdRetracted"


def test_another_service_adopts_for_itself(world: World) -> None:
    assert world.adopt(7, "discipline") == []
    assert set(world.statuses("A").values()) == {"present"}


def test_a_version_that_this_code_cannot_do_is_not_guessed(world: World) -> None:
    with pytest.raises(UnknownFoldVersionError, match=r"version 3 .* can do 1 and 2"):
        world.adopt(3)


def test_this_code_can_do_the_first_version_alone() -> None:
    office = World()

    assert office.adopt(1) == []
    with pytest.raises(UnknownFoldVersionError, match=r"version 2 .* can do 1:"):
        office.adopt(2)


def test_every_regency_is_a_regency() -> None:
    assembler = Assessor()

    assert assembler.knows_regency(assembler.knowledge(), "*")
    assert not assembler.knows_regency(assembler.knowledge(), "53.01")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 7), st.randoms(use_true_random=False))
def test_a_version_that_changes_nothing_says_nothing(seed: int, dice: Random) -> None:
    """Wherever on a log it stands: what is read anew reads as it was said."""
    facts = list(log(seed, 5, 24))
    at = dice.randrange(len(facts))
    folding = InMemoryProjection(SecondVersion(forgets=False))
    for fact in facts[:at]:
        folding.hear(fact)
    number = 1 + max((fact.broadcastseq or 0 for fact in facts[:at]), default=0)

    assert folding.hear(adoption(facts[at].recordedtime, number)) == []
