"""Notices as rows and back; what is ours is taken as it was told."""

import json
from collections.abc import Sequence

from hypothesis import given as for_all
from hypothesis import strategies as st

from services.notifications.domain import Heard
from services.notifications.projections import KEPT, NOTICES, Planned, Planner
from shared.events.envelope import Envelope, canonical
from shared.events.notifications import NotificationDelivered, NotificationQueued
from shared.events.structs import as_struct
from shared.runtime.processing.in_memory import InMemoryProjection, project
from tests.notifications.examples import proposed, reached, retracted, review, withdrawn


class Enveloped:
    """Gives news their envelopes; numbers are dense, as on a log that has all of a person."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}

    def __call__(self, heard: Heard, regency: str = "53.01") -> Envelope:
        source, person = heard.event_id.partition("@")[0].rsplit("/", 1)
        number = self._numbers[source, person] = self._numbers.get((source, person), 0) + 1
        at = "2026-02-01T12:00:00+08:00"
        return Envelope(
            id=heard.event_id,
            source=source,
            subject=person,
            subjectseq=number,
            type=type(heard.said).type_name(),
            regency=regency,
            time=at,
            recordedtime=at,
            data=as_struct(heard.said),
        )


def rows(driver: InMemoryProjection[Planned, None]) -> list[dict[str, object]]:
    names = [column.name for column in NOTICES.columns]
    return [dict(zip(names, row, strict=True)) for row in driver.rows(NOTICES.name)]


def test_each_notice_is_a_row_under_the_tenant_of_its_event() -> None:
    driver, enveloped = InMemoryProjection(Planner(), keep_rows=True), Enveloped()
    driver.hear(enveloped(reached()))
    driver.hear(enveloped(proposed(), regency="53.71"))

    found = {(row["role"], row["channel"], row["regency"]) for row in rows(driver)}

    assert found == {
        ("employee", "inbox", "53.01"),
        ("employee", "mail", "53.01"),
        ("employee", "whatsapp", "53.01"),
        ("superior", "inbox", "53.71"),
        ("superior", "mail", "53.71"),
        ("unit_head", "inbox", "53.71"),
        ("unit_head", "mail", "53.71"),
    }
    assert {row["outcome"] for row in rows(driver)} == {"queued"}
    assert json.loads(str(rows(driver)[0]["details"]))["sanction"] == "teguran_lisan"


def test_a_rebuild_takes_what_was_told_as_it_was_and_adds_nothing() -> None:
    """Design 7: all notification events are told; what was delivered stays delivered."""
    news = [*map(Enveloped(), (reached(), proposed()))]
    told = project(Planner(), news)
    first = told[0]
    delivered = NotificationDelivered(
        **NotificationQueued.model_validate(first.data, from_attributes=True).model_dump(
            exclude={"template", "details"}
        ),
        attempts=1,
    )
    outcome = Envelope(
        id="/notifications/A@8",
        source="/notifications",
        subject="A",
        subjectseq=len(told) + 1,
        type=NotificationDelivered.type_name(),
        regency=first.regency,
        time=first.time,
        recordedtime=first.recordedtime,
        data=as_struct(delivered),
    )

    for order in ([*told, outcome, *news], [*news, *told, outcome]):
        driver = InMemoryProjection(Planner(), keep_rows=True)
        again = [each for envelope in order for each in driver.hear(envelope)]
        assert len(again) in (0, len(told))
        assert {e.data.notification_id for e in again} <= {e.data.notification_id for e in told}
        outcomes = {row["notification_id"]: row["outcome"] for row in rows(driver)}
        assert outcomes.pop(delivered.notification_id) == "delivered"
        assert set(outcomes.values()) == {"queued"}
        assert len(outcomes) == len(told) - 1


@for_all(
    st.lists(
        st.sampled_from([reached(), proposed(), withdrawn("/discipline/A@2"), review()]),
        unique_by=lambda heard: heard.event_id,
    ),
    st.integers(0, 4),
)
def test_a_person_restored_from_rows_goes_on_as_if_never_put_away(
    news: list[Heard], cut: int
) -> None:
    order = sorted(news, key=lambda heard: heard.event_id)
    driver, enveloped = InMemoryProjection(Planner(), keep_rows=True), Enveloped()
    told = [each for heard in order[:cut] for each in driver.hear(enveloped(heard))]

    kept: Sequence[tuple[object, ...]] = list(driver.rows(NOTICES.name))
    driver.states["A"] = Planner().restore("A", {KEPT.name: kept})
    told += [each for heard in order[cut:] for each in driver.hear(enveloped(heard))]

    assert list(map(canonical, told)) == list(
        map(canonical, project(Planner(), map(Enveloped(), order)))
    )


def test_what_we_told_changes_nothing_when_it_comes_back() -> None:
    """Live, each of our own events is heard once more, from the log."""
    driver = InMemoryProjection(Planner())
    told = driver.hear(Enveloped()(reached()))
    state = driver.states["A"]

    assert [driver.hear(event) for event in told] == [[]] * len(told)
    assert list(Planner().changes(state)) == []


def test_two_people_do_not_mix() -> None:
    driver, enveloped = InMemoryProjection(Planner(), keep_rows=True), Enveloped()
    driver.hear(enveloped(reached("/attendance/B@9", person="B")))
    driver.hear(enveloped(retracted("/attendance/A@12")))

    found = {row["subject"]: row["template"] for row in rows(driver)}

    assert found == {"A": "threshold-retracted", "B": "threshold-reached"}
