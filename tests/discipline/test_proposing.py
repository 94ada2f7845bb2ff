"""From thresholds to proposals: semantics D, design 6."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.discipline.domain import proposing
from services.discipline.domain.matters import Matters
from services.discipline.domain.proposing import Heard, Told
from shared.events.discipline import (
    CaseReviewRequired,
    SanctionProposalReinstated,
    SanctionProposalWithdrawn,
    SanctionProposed,
    ThresholdNoted,
)
from tests.discipline.examples import LADDER, PERSON, RULES, reached, retracted
from tests.discipline.examples import RUN as RUN_TIER
from tests.kit.spec import Given

given = partial(Given[Matters, Heard, Told], proposing)

THREE = reached("t3", 3)
FOUR = reached("t4", 4)
SEVEN = reached("t7", 7)
MOST = reached("t28", 28)
RUN = reached("run", 10, "consecutive")


def proposed(heard: Heard, case_id: str = "A-2026-PNS", over: str | None = None) -> Told:
    fact = heard.said
    tier = RUN_TIER if fact.measure == "consecutive" else LADDER[fact.threshold_days]
    level, sanction, article, weight = tier
    return SanctionProposed(
        case_id=case_id,
        employee_id="A",
        level=level,
        sanction=sanction,
        article=article,
        measure=fact.measure,
        year=fact.year,
        days=fact.threshold_days,
        weight=weight,
        rule_set=RULES,
        threshold_event_id=heard.event_id,
        evidence=tuple(f"/attendance/A@{day}" for day in range(1, fact.threshold_days + 1)),
        employee=PERSON,
        supersedes=over,
    )


def withdrawn(heard: Heard, case_id: str = "A-2026-PNS") -> Told:
    return SanctionProposalWithdrawn(**about(heard, case_id))


def reinstated(heard: Heard, case_id: str = "A-2026-PNS") -> Told:
    return SanctionProposalReinstated(**about(heard, case_id))


def about(heard: Heard, case_id: str) -> dict[str, Any]:
    fact = heard.said
    tier = RUN_TIER if fact.measure == "consecutive" else LADDER[fact.threshold_days]
    return {
        "case_id": case_id,
        "employee_id": "A",
        "threshold_event_id": heard.event_id,
        "year": fact.year,
        "sanction": tier[1],
        "employee": PERSON,
    }


def noted(heard: Heard, news: str = "reached", case_id: str = "A-2026-PNS") -> Told:
    return ThresholdNoted.model_validate(
        {
            "case_id": case_id,
            "employee_id": "A",
            "threshold_event_id": heard.event_id,
            "year": 2026,
            "measure": heard.said.measure,
            "threshold_days": heard.said.threshold_days,
            "news": news,
        }
    )


def test_a_threshold_is_proposed_with_all_that_the_event_carries() -> None:
    assert given().when(THREE) == [proposed(THREE)]


def test_a_heavier_threshold_supersedes_the_open_proposal() -> None:
    """Design 6: of several, the heaviest stands, in the same case."""
    assert given(THREE).when(FOUR) == [proposed(FOUR, over="t3")]


def test_a_lighter_threshold_is_only_noted() -> None:
    """D5."""
    assert given(FOUR).when(THREE) == [noted(THREE)]


def test_a_threshold_of_equal_weight_is_only_noted() -> None:
    """D3: the run and the last step of the ladder are both dismissal; what stands stays."""
    assert given(MOST).when(RUN) == [noted(RUN)]
    assert given(RUN).when(MOST) == [noted(MOST)]


@pytest.mark.parametrize(("weight", "is_proposed"), [(1003, False), (1004, False), (1005, True)])
def test_only_what_is_heavier_by_one_supersedes(weight: int, *, is_proposed: bool) -> None:
    """D3, on both sides of the edge."""
    tier = FOUR.said.tier.model_copy(update={"weight": weight})  # type: ignore[union-attr]  # reached
    other = FOUR._replace(event_id="x", said=FOUR.said.model_copy(update={"tier": tier}))

    (told,) = given(FOUR).when(other)

    assert isinstance(told, SanctionProposed) is is_proposed


def test_the_retraction_of_the_open_proposal_withdraws_it() -> None:
    assert given(THREE).when(retracted("r", THREE)) == [withdrawn(THREE)]


def test_the_superseded_proposal_is_open_again_when_the_heavier_falls() -> None:
    """D4."""
    assert given(THREE, FOUR).when(retracted("r", FOUR)) == [withdrawn(FOUR), reinstated(THREE)]


def test_a_threshold_that_was_only_noted_is_proposed_when_the_heavier_falls() -> None:
    """D4: it was never proposed, so it is proposed now."""
    assert given(RUN, FOUR).when(retracted("r", RUN)) == [withdrawn(RUN), proposed(FOUR)]


def test_the_heaviest_that_is_still_active_stands() -> None:
    """D4: of those that are left, whether superseded or noted before."""
    past = given(THREE, RUN, SEVEN, FOUR)

    assert past.when(retracted("r", RUN)) == [withdrawn(RUN), proposed(SEVEN)]


def test_what_was_retracted_while_it_was_noted_does_not_come_back() -> None:
    past = given(THREE, RUN, SEVEN, retracted("r7", SEVEN))

    assert past.when(retracted("r", RUN)) == [withdrawn(RUN), reinstated(THREE)]


def test_of_two_equally_heavy_the_one_that_stood_first_comes_back() -> None:
    """D3 within D4: both are dismissal; what stood before stays before."""
    heavier = MOST.said.tier.model_copy(update={"weight": 3099})  # type: ignore[union-attr]  # reached
    heaviest = Heard("h", "53.01", MOST.said.model_copy(update={"tier": heavier}))

    past = given(MOST, RUN, heaviest)

    assert past.when(retracted("r", heaviest)) == [withdrawn(heaviest), reinstated(MOST)]


def test_a_retraction_withdraws_also_what_was_superseded() -> None:
    """D6: and the heavier proposal stays as it is."""
    assert given(THREE, FOUR).when(retracted("r", THREE)) == [withdrawn(THREE)]


def test_the_retraction_of_what_was_only_noted_leaves_a_note() -> None:
    """Design 6: everything that the reactor hears leaves an event."""
    assert given(FOUR, THREE).when(retracted("r", THREE)) == [noted(THREE, "retracted")]


def test_a_tier_reached_again_after_a_retraction_is_proposed_anew() -> None:
    """D2: it is another threshold, although it says the same."""
    again = reached("t3-again", 3)

    assert given(THREE, retracted("r", THREE)).when(again) == [proposed(again)]


def test_one_of_four_days_is_excused() -> None:
    """C11, C12: both are retracted, last reached first; then three is reached with other days."""
    matters = given(THREE, FOUR)
    again = reached("t3-again", 3)

    assert matters.hear(retracted("r4", FOUR)) == [withdrawn(FOUR), reinstated(THREE)]
    assert matters.hear(retracted("r3", THREE)) == [withdrawn(THREE)]
    assert matters.hear(again) == [proposed(again)]


def test_each_year_is_a_matter_of_its_own() -> None:
    """D1: a heavier proposal of last year supersedes nothing of this year, and is not touched."""
    last_year = reached("old", 7, year=2025)

    assert given(last_year).when(THREE) == [proposed(THREE)]
    assert given(last_year, THREE).when(retracted("r", THREE)) == [withdrawn(THREE)]


def test_each_class_is_a_matter_of_its_own() -> None:
    """D1: days as PPPK and days as PNS do not add up, and neither do their sanctions."""
    as_pppk = reached("pppk", 7, employment="PPPK")

    assert given(as_pppk).when(THREE) == [proposed(THREE)]


def test_a_retraction_of_what_was_never_heard_is_an_error() -> None:
    """The subject is parked: a hole in the log is not passed over."""
    with pytest.raises(LookupError, match="t4"):
        given(THREE).when(retracted("r", FOUR))


# After a decision (which comes by command, later): the state is made by hand.


def decided(*past: Heard) -> Given[Matters, Heard, Told]:
    """Give a past whose open proposal an official has decided."""
    matters = given(*past)
    open_one = next(t for t in matters.state.thresholds.values() if t.standing == "proposed")
    matters.state = matters.state.with_threshold(replace(open_one, standing="decided"))
    return matters


def test_the_retraction_of_a_decided_threshold_asks_for_a_review() -> None:
    """Design 6: no decision is undone by a machine, and none is left standing in silence."""
    review = CaseReviewRequired(**about(FOUR, "A-2026-PNS"))

    assert decided(THREE, FOUR).when(retracted("r", FOUR)) == [review]


def test_what_is_heavier_than_the_decision_opens_a_new_case() -> None:
    assert decided(THREE, FOUR).when(SEVEN) == [proposed(SEVEN, "A-2026-PNS-2")]


@pytest.mark.parametrize("heard", [reached("again", 4), reached("less", 3)])
def test_what_is_not_heavier_than_the_decision_is_noted_in_its_case(heard: Heard) -> None:
    """One absence is not punished twice."""
    assert decided(FOUR).when(heard) == [noted(heard)]


def test_what_the_decision_had_superseded_does_not_come_back() -> None:
    """Days that were punished are in the decided case, not in the next."""
    past = decided(THREE, FOUR)
    past.hear(SEVEN)

    assert past.when(retracted("r", SEVEN)) == [withdrawn(SEVEN, "A-2026-PNS-2")]


# Properties.


@st.composite
def histories(draw: st.DrawFn) -> list[Heard]:
    """Draw what attendance may say of one person: reached, and retracted once at most."""
    heard: list[Heard] = []
    active: list[Heard] = []
    for number in range(draw(st.integers(1, 12))):
        falls: bool = draw(st.booleans())
        if active and falls:
            which: int = draw(st.integers(0, len(active) - 1))
            heard.append(retracted(f"e{number}", active.pop(which)))
        else:
            days = draw(st.sampled_from(sorted(LADDER)))
            news = draw(
                st.sampled_from(
                    [
                        reached(f"e{number}", days),
                        reached(f"e{number}", days, year=2025),
                        reached(f"e{number}", 10, "consecutive"),
                        reached(f"e{number}", days, employment="PPPK"),
                    ]
                )
            )
            active.append(news)
            heard.append(news)
    return heard


@for_all(histories())
def test_what_is_heard_twice_follows_once(heard: list[Heard]) -> None:
    assert given(*heard).when(heard[-1]) == []
    assert given(*heard, *heard).state == given(*heard).state


@for_all(histories())
def test_all_that_is_heard_leaves_an_event(heard: list[Heard]) -> None:
    """Design 6: the order of a matter can be read from this service's topic alone."""
    matters = given()

    assert all(matters.hear(each) for each in heard)


@for_all(histories())
def test_of_each_matter_the_heaviest_active_threshold_is_the_one_open(heard: list[Heard]) -> None:
    """D3, D4, D5 as one sentence, and D6 for all the others."""
    thresholds = given(*heard).state.thresholds.values()
    gone = {h.said.threshold_event_id for h in heard if hasattr(h.said, "threshold_event_id")}

    for matter in {each.matter for each in thresholds}:
        active = [t for t in thresholds if t.matter == matter and t.event_id not in gone]
        standing = [t for t in thresholds if t.matter == matter and t.standing == "proposed"]
        heaviest = max((t.weight for t in active), default=None)
        assert [t.weight for t in standing] == ([] if heaviest is None else [heaviest])
        assert all(t.event_id not in gone for t in standing)
    for each in thresholds:
        if each.event_id in gone:
            assert each.standing == ("withdrawn" if each.ordinal else "noted")


@for_all(histories())
def test_proposals_are_numbered_in_the_order_said(heard: list[Heard]) -> None:
    matters = given()
    said = [
        told.threshold_event_id
        for each in heard
        for told in matters.hear(each)
        if isinstance(told, SanctionProposed)
    ]

    by_ordinal = sorted(
        (t.ordinal, t.event_id) for t in matters.state.thresholds.values() if t.ordinal
    )
    assert by_ordinal == list(enumerate(said, start=1))
