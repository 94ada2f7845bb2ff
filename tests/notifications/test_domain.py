"""Whom to tell, what, and by which channel: design 7."""

from functools import partial

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.notifications import domain
from services.notifications.domain import Command, Delivered, Failed, Heard, Told
from services.notifications.notices import Notices
from shared.events.notifications import (
    NotificationDelivered,
    NotificationFailed,
    NotificationQueued,
)
from tests.notifications.examples import proposed, reached, retracted, review, withdrawn


class Past:
    """The past of one person: what is heard is decided, what is told is applied."""

    def __init__(self, *past: Heard | Command) -> None:
        self.notices: Notices = domain.INITIAL
        for heard in past:
            for told in self.when(heard):
                self.notices = domain.evolve(self.notices, told)

    def when(self, heard: Heard | Command) -> list[Told]:
        return list(domain.decide(heard, self.notices))


given = partial(Past)


def queued(told: list[Told]) -> list[tuple[str, str, str, str]]:
    return [
        (each.role, each.recipient_id, each.channel, each.template)
        for each in told
        if isinstance(each, NotificationQueued)
    ]


def test_the_person_hears_early_of_a_threshold_by_all_his_channels() -> None:
    """A letter that is handed in now still changes the count."""
    assert queued(given().when(reached())) == [
        ("employee", "A", "inbox", "threshold-reached"),
        ("employee", "A", "mail", "threshold-reached"),
        ("employee", "A", "whatsapp", "threshold-reached"),
    ]


def test_the_person_hears_that_a_threshold_no_longer_stands() -> None:
    assert {template for *_, template in queued(given().when(retracted()))} == {
        "threshold-retracted"
    }


def test_the_superior_and_the_head_of_the_unit_hear_of_a_proposal() -> None:
    assert queued(given().when(proposed())) == [
        ("superior", "chief", "inbox", "sanction-proposed"),
        ("superior", "chief", "mail", "sanction-proposed"),
        ("unit_head", "U", "inbox", "sanction-proposed"),
        ("unit_head", "U", "mail", "sanction-proposed"),
    ]


@pytest.mark.parametrize("supervisor", [None, "", "A"])
def test_who_has_no_superior_or_is_his_own_is_told_of_to_the_unit_only(
    supervisor: str | None,
) -> None:
    told = given().when(proposed(supervisor_id=supervisor))

    assert {role for role, *_ in queued(told)} == {"unit_head"}


def test_without_superior_and_unit_nobody_is_told() -> None:
    assert given().when(proposed(supervisor_id=None, unit_id=None)) == []


def test_all_three_hear_that_a_decided_case_is_looked_at_again() -> None:
    told = queued(given().when(review()))

    assert {(role, template) for role, _, _, template in told} == {
        ("employee", "case-review-employee"),
        ("superior", "case-review"),
        ("unit_head", "case-review"),
    }


def test_a_notice_carries_what_its_text_needs_and_no_personal_value() -> None:
    (first, *_) = given().when(reached())

    assert isinstance(first, NotificationQueued)
    assert first.details == {
        "year": "2026",
        "measure": "cumulative",
        "threshold_days": "3",
        "days": "3",
        "dates": "2026-01-05;2026-01-06;2026-01-07",
        "level": "ringan",
        "sanction": "teguran_lisan",
        "article": "9(2) b",
    }


def test_a_unit_and_a_person_of_one_id_are_both_told() -> None:
    told = given().when(proposed(supervisor_id="U"))

    assert len({each.notification_id for each in told}) == len(told) == 4


def test_what_was_delivered_is_settled() -> None:
    past = given(reached())
    (first, *_) = past.notices.by_id

    (told,) = past.when(Delivered("A", first, 2))

    assert isinstance(told, NotificationDelivered)
    assert (told.notification_id, told.recipient_id, told.attempts) == (first, "A", 2)
    past.notices = domain.evolve(past.notices, told)
    assert past.when(Delivered("A", first, 3)) == []
    assert past.when(Failed("A", first, 3, "refused")) == []


def test_what_failed_says_why() -> None:
    past = given(reached())
    (first, *_) = past.notices.by_id

    (told,) = past.when(Failed("A", first, 0, "no_address"))

    assert isinstance(told, NotificationFailed)
    assert (told.reason, told.attempts) == ("no_address", 0)


def test_an_outcome_of_what_was_never_queued_is_an_error() -> None:
    with pytest.raises(LookupError):
        given().when(Delivered("A", "unknown", 1))


NEWS = st.lists(
    st.sampled_from([reached(), retracted(), proposed(), withdrawn(), review()]), max_size=8
)


@for_all(NEWS)
def test_once_for_each_event_recipient_and_channel(news: list[Heard]) -> None:
    """Heard twice, at any distance, it follows once."""
    notices = given(*news).notices

    said = [
        (n.queued.about_event_id, n.queued.recipient_id, n.queued.channel)
        for n in notices.by_id.values()
    ]
    assert len(said) == len(set(said))
    assert given(*news, *news).notices == notices


@for_all(NEWS.flatmap(lambda news: st.tuples(st.just(news), st.permutations(news))))
def test_the_order_between_topics_changes_nothing(orders: tuple[list[Heard], list[Heard]]) -> None:
    """Design 7: two topics are heard in no defined order."""
    one, other = (given(*order).notices.by_id for order in orders)

    assert dict(one) == dict(other)
