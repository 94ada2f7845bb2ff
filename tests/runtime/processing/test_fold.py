"""The pure part of a batch, on a store in memory: however it is cut, the log says one thing."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events.envelope import Envelope
from shared.runtime.limits import Limits
from shared.runtime.processing.halt import Halt
from tests.kit import toy_facts as facts
from tests.kit.toy_facts import Record, check_in, log_of, record
from tests.kit.toy_memory import TOPIC, fold, folded, left_in, toy_store

PEOPLE = ("a", "b", "c", "d")
REGISTERED = facts.registered(1)


def log(*envelopes: Envelope) -> list[Record]:
    """Give a log that begins with the regency."""
    return log_of(TOPIC, 0, [REGISTERED, *envelopes])


@st.composite
def logs(draw: st.DrawFn) -> list[Record]:
    """Draw check-ins of a few people, some repeated, among broadcasts of three kinds."""
    said: list[Envelope] = []
    number = 1
    for at in range(draw(st.integers(1, 15))):
        what = draw(st.sampled_from(["check-in"] * 6 + ["again", "closed", "calendar", "other"]))
        if what == "check-in":
            via = draw(st.sampled_from(["mobile", "mobile", "manual"]))
            said.append(check_in(draw(st.sampled_from(PEOPLE)), at, at + 1, via=via))
        elif what == "again" and said:
            said.append(draw(st.sampled_from(said)))
        elif what in {"closed", "calendar", "other"}:
            number += 1
            some = draw(st.lists(st.sampled_from(PEOPLE), min_size=1, unique=True))
            made = {
                "closed": facts.closed(number),
                "calendar": facts.calendar(number, *some),
                "other": facts.passed_by(number),
            }
            said.append(made[what])
    return log(*said)


@st.composite
def batches(draw: st.DrawFn, records: Sequence[Record]) -> list[Sequence[Record]]:
    """Cut the log into batches, some of which begin again at an earlier record."""
    cut: list[Sequence[Record]] = []
    at = 0
    while at < len(records):
        end = draw(st.integers(at + 1, len(records)))
        cut.append(records[draw(st.integers(0, at)) : end])
        at = end
    return cut


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_batches_cut_and_repeated_anywhere_end_the_same(data: st.DataObject) -> None:
    """Rows, events and cursor do not depend on cuts, repetitions and budgets."""
    records = data.draw(logs())
    cut = data.draw(batches(records))
    budget = data.draw(st.integers(1, 12))

    assert folded(cut, budget=budget) == folded([records])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_was_forgotten_is_restored(data: st.DataObject) -> None:
    """A consumer that keeps nothing between batches concludes the same."""
    records = data.draw(logs())
    store = toy_store(commands=True)
    stopped = asyncio.run(fold(store, [[each] for each in records], budget=2))

    assert left_in(store, stopped) == folded([records])


def test_every_person_has_a_sum_of_their_own() -> None:
    """By hand: two people, a closing between their check-ins, which adds 100 to whom it finds."""
    left = folded([log(check_in("a", 1, 5), facts.closed(2), check_in("b", 2, 7))])

    assert left.sums == {"a": ("a", 1, 105, 1), "b": ("b", 1, 7, 0)}
    assert [len(left.told[each]) for each in ("a", "b")] == [2, 1]
    assert left.numbers == {"a": 2, "b": 1}


def test_a_manual_check_in_sees_all_that_was_before_it() -> None:
    """Older rows are read when the fold asks, in whatever batch they were written."""
    said = [check_in("a", 1, 2), check_in("a", 2, 3), check_in("a", 3, 4, via="manual")]
    whole = folded([log(*said)])
    single = folded([[each] for each in log(*said)])

    assert b'"early_minutes":29' in whole.told["a"][-1]
    assert single == whole


def test_a_numbered_event_heard_again_is_not_news() -> None:
    """At or below the last number of its source: dropped before the fold."""
    again = check_in("a", 9, 50, seq=1)  # Another fact, were it not for its number.
    left = folded([log(check_in("a", 1, 5, seq=1), again, check_in("a", 2, 6, seq=2))])

    assert left.sums["a"] == ("a", 2, 11, 0)
    assert left.parked == []


def test_a_gap_parks_its_subject_alone() -> None:
    """Number 3 after number 1 waits, with all that follows it; the next person goes on."""
    left = folded(
        [
            log(
                check_in("a", 1, 5, seq=1),
                check_in("a", 3, 7, seq=3),
                check_in("b", 1, 1, seq=1),
                facts.closed(2),
                check_in("a", 4, 8, seq=4),
            )
        ]
    )

    assert left.sums == {"a": ("a", 1, 5, 0), "b": ("b", 1, 101, 1)}
    assert left.parked == [("a", 2, "gap"), ("a", 4, "queued"), ("a", 5, "queued")]
    assert left.stopped is None


def test_a_half_applied_fact_leaves_no_trace() -> None:
    """A fold that raises after it changed the state: the record is parked, its batch is whole."""
    bad = check_in("a", 2, "contradiction")
    left = folded([log(check_in("a", 1, 5), check_in("b", 1, 1), bad, check_in("b", 2, 1))])

    assert left.sums == {"a": ("a", 1, 5, 0), "b": ("b", 2, 2, 0)}
    assert left.parked == [("a", 3, "contradiction")]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_parking_does_not_depend_on_how_the_log_is_cut(data: st.DataObject) -> None:
    """Poison among broadcasts: the same rows wait, for the same reasons, in the same order."""
    records = data.draw(logs())
    poison = data.draw(st.integers(1, len(records)))
    bad = check_in(data.draw(st.sampled_from(PEOPLE)), 99, data.draw(st.sampled_from(["x", "y"])))
    shifted = [replace(each, offset=each.offset + 1) for each in records[poison:]]
    records = [*records[:poison], record(TOPIC, 0, poison, bad), *shifted]
    cut = data.draw(batches(records))
    left = folded(cut, budget=data.draw(st.integers(1, 6)))

    assert left == folded([records])
    assert [reason for _, offset, reason in left.parked if offset == poison] == ["fold"]


def test_a_regency_that_was_never_registered_parks_its_sender() -> None:
    """Only the broadcast before the record counts, not one behind it."""
    stranger = check_in("a", 1, 5, regency="99.99")
    late = facts.registered(2, "99.99")
    left = folded([log(stranger, check_in("b", 1, 1), late, check_in("a", 2, 6))])

    assert left.sums == {"b": ("b", 1, 1, 0)}
    assert left.parked == [("a", 1, "unknown_tenant"), ("a", 4, "queued")]


def test_a_gap_of_broadcasts_stops_the_partition() -> None:
    """Nothing behind it is folded, and what stands before it is kept."""
    left = folded([log(check_in("a", 1, 5), facts.closed(3), check_in("a", 2, 6))])

    assert left.stopped == Halt("gap", "broadcast 3 follows 1: a gap")
    assert left.next_offset == 2
    assert left.sums == {"a": ("a", 1, 5, 0)}


def test_a_broadcast_heard_again_is_dropped() -> None:
    """A number already passed was sent again by the relay: it adds nothing."""
    left = folded([log(check_in("a", 1, 5), facts.closed(2), facts.closed(2), REGISTERED)])

    assert left.sums["a"] == ("a", 1, 105, 1)
    assert left.next_offset == 5


def test_a_broadcast_that_contradicts_what_is_known_stops_the_partition() -> None:
    left = folded([log(check_in("a", 1, 5), facts.impossible(2), check_in("a", 2, 6))])

    assert left.stopped is not None
    assert left.stopped.kind == "broadcast"
    assert left.stopped.detail.startswith("broadcast 2 cannot be learned")
    assert (left.next_offset, left.sums["a"]) == (2, ("a", 1, 5, 0))


def test_a_broadcast_that_fails_for_one_stops_the_partition() -> None:
    """Whom it was applied to before is not written without the others, nor twice."""
    said = [check_in(each, 1, 5) for each in PEOPLE]
    left = folded([log(*said, facts.calendar(2, "b", failing=True), check_in("a", 2, 6))])

    assert left.stopped is not None
    assert left.stopped.kind == "broadcast"
    assert left.stopped.detail.startswith("broadcast 2 cannot be applied to b")
    assert left.sums == {each: (each, 1, 5, 0) for each in PEOPLE}
    assert left.next_offset == 5


def test_too_many_parked_in_a_row_stop_the_partition() -> None:
    """The brake: the next one is not parked, and is read again when somebody has looked."""
    store = toy_store()
    said = [check_in(f"p{n}", 1, "bad") for n in range(5)]
    limits = Limits(partitions=1, in_a_row=3)
    stopped = asyncio.run(fold(store, [log(*said)], limits=limits))

    assert stopped is not None
    assert stopped.kind == "brake"
    assert stopped.detail.startswith("3 records parked in a row; the next: fold: ")
    assert len(left_in(store).parked) == 3
    assert left_in(store).next_offset == 4
