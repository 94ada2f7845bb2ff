"""The queue of a parked subject, on a store in memory: nothing overtakes, and nothing is lost."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events.envelope import Envelope
from shared.runtime.parking import queue
from shared.runtime.parking.queue import Outcome
from shared.runtime.processing.write_batch import ParkedRow
from tests.kit import toy_facts as facts
from tests.kit.memory_store import MemoryStore
from tests.kit.toy_facts import Record, check_in, log_of, record
from tests.kit.toy_memory import ANSWERS, TOPIC, fold, folded, left_in, toy_store

BAD = replace(record(TOPIC, 0, 0, check_in("a", 90, 1)), value=b"{")


def log(*said: Envelope | Record) -> list[Record]:
    """Give a log that begins with the regency."""
    return log_of(TOPIC, 0, [facts.registered(1), *said])


def store_of(*said: Envelope | Record) -> MemoryStore:
    """Give a store that has folded a log."""
    store = toy_store()
    assert asyncio.run(fold(store, [log(*said)])) is None
    return store


def retried(store: MemoryStore, subject: str = "a") -> Outcome:
    """Retry a subject's queue."""
    return asyncio.run(queue.retry(store, subject, "tester"))


def discarded(store: MemoryStore, row: int, subject: str = "a") -> bool:
    """Discard a row."""
    return asyncio.run(queue.discard(store, subject, row, "says nothing", "tester"))


def sums(store: MemoryStore) -> dict[str, tuple[int, int]]:
    """Give counts and totals."""
    return {name: (row[1], row[2]) for name, row in left_in(store).sums.items()}


@st.composite
def busy(draw: st.DrawFn) -> list[Envelope]:
    """Draw check-ins of two people, of both kinds, among broadcasts of all kinds."""
    said: list[Envelope] = []
    number = 1
    for at in range(draw(st.integers(1, 12))):
        what = draw(st.sampled_from("aaabbCDE"))
        if what in "ab":
            via = draw(st.sampled_from(["mobile", "manual"]))
            said.append(check_in(what, at, at + 1, via=via))
        else:
            number += 1
            made = {"C": facts.closed, "D": facts.passed_by}
            said.append(made[what](number) if what in made else facts.calendar(number, "a", "b"))
    return said


@settings(max_examples=60, deadline=None)
@given(busy(), st.data())
def test_discarding_and_redriving_gives_the_undisturbed_state(
    said: list[Envelope], data: st.DataObject
) -> None:
    """Through every broadcast in between: the same rows and, per subject, the same event bytes."""
    at = data.draw(st.integers(0, len(said)))
    store = store_of(*said[:at], BAD, *said[at:])
    assert discarded(store, 0)
    retried(store)
    left, calm = left_in(store), folded([log(*said)])

    assert (left.sums, left.taken, left.told) == (calm.sums, calm.taken, calm.told)
    assert left.parked == []


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_events_out_of_order_end_the_same_however_they_are_cut(data: st.DataObject) -> None:
    """Gaps drain by themselves when they are filled, and nothing behind a gap overtakes it."""
    numbers = data.draw(st.permutations(range(1, data.draw(st.integers(2, 7)) + 1)))
    said = [check_in("a", each, each, seq=each) for each in numbers]
    broadcasts = 1
    for at in sorted(data.draw(st.lists(st.integers(0, len(said)), max_size=3)), reverse=True):
        said.insert(at, check_in("a", 50 + at, 100 + at))
    for at in sorted(data.draw(st.lists(st.integers(0, len(said)), max_size=3))):
        broadcasts += 1
        said.insert(at + broadcasts - 2, facts.closed(broadcasts))
    records = log(*said)
    ends = sorted(data.draw(st.sets(st.integers(1, len(records) - 1), max_size=4)))
    cut = [records[a:b] for a, b in zip([0, *ends], [*ends, len(records)], strict=True)]
    left, whole = folded(cut, budget=data.draw(st.integers(1, 5))), folded([records])

    assert (left.sums, left.taken, left.told) == (whole.sums, whole.taken, whole.told)
    assert left.parked == []


def test_a_broadcast_behind_a_gap_waits_with_it() -> None:
    """By hand: 1, 3, 2, 5 and a closing. It must not be applied before 4 came, and 5."""
    said = [check_in("a", each, each, seq=each) for each in (1, 3, 2, 5)]
    store = store_of(*said, facts.closed(2))

    assert sums(store) == {"a": (3, 6)}
    assert [(offset, reason) for _, offset, reason in left_in(store).parked] == [
        (4, "queued"),
        (5, "queued"),
    ]


def test_a_retry_stops_at_what_still_cannot_be_applied() -> None:
    """What was applied before it stays applied, and what is behind it goes on waiting."""
    bad, again = check_in("a", 1, "bad"), check_in("a", 3, "contradiction")
    store = store_of(bad, check_in("a", 2, 20), again, check_in("a", 4, 40), check_in("b", 1, 1))
    assert discarded(store, 0)
    first, second = retried(store), retried(store)

    assert (first.applied, first.waiting) == (1, 2)
    assert first.reason is not None
    assert first.reason.startswith("contradiction: ")
    assert (second.applied, second.waiting) == (0, 2)  # Half-applied twice, it is no repetition.
    assert sums(store) == {"a": (1, 20), "b": (1, 1)}


def test_a_retry_judges_a_record_by_what_was_known_before_it() -> None:
    """The regency that was registered behind it does not help it."""
    store = store_of(check_in("a", 1, 1, regency="99.99"), facts.registered(2, "99.99"))

    outcome = retried(store)

    assert (outcome.applied, outcome.waiting) == (0, 1)
    assert outcome.reason is not None
    assert "99.99 was never registered" in outcome.reason


def test_who_has_nothing_waiting_any_more_goes_on() -> None:
    """The last waiting record was discarded: the next one is folded as it comes."""
    store = store_of(check_in("a", 1, 1), BAD)
    assert discarded(store, 0)
    assert not discarded(store, 0)
    asyncio.run(fold(store, [log(check_in("a", 1, 1), BAD, check_in("a", 2, 2))]))

    assert sums(store) == {"a": (2, 3)}


def test_what_was_done_with_a_queue_is_a_record_of_the_parked_topic() -> None:
    """Who did it and why; a repetition that did nothing says nothing."""
    store = store_of(check_in("a", 1, 1), BAD, check_in("a", 2, 2))
    discarded(store, 0)
    discarded(store, 0)
    retried(store)
    said = [value for topic, _, _, _, value in store.kept.events if topic == "toy.sums.parked.v1"]

    assert len(said) == 2
    assert b'"actor":"tester"' in said[0]
    assert b"says nothing" in said[0]


class Interrupted(MemoryStore):
    """While a queue is read, the runner puts one more record into it."""

    more: Sequence[Record] = ()

    async def queue(self, subject: str) -> list[ParkedRow]:
        rows = await super().queue(subject)
        more, self.more = self.more, ()
        if more:
            assert await fold(self, [more]) is None
        return rows


def test_a_record_queued_during_a_retry_is_not_stranded() -> None:
    """The retry loses against the runner's write of the same row, and reads again."""
    calm = toy_store()
    store = Interrupted(calm.projection, ANSWERS, 1)
    asyncio.run(fold(store, [log(check_in("a", 1, 1), BAD, check_in("a", 2, 2))]))
    discarded(store, 0)
    store.more = log(check_in("a", 1, 1), BAD, check_in("a", 2, 2), check_in("a", 3, 4))

    outcome = retried(store)

    assert (outcome.applied, outcome.waiting) == (2, 0)
    assert sums(store) == {"a": (3, 7)}
