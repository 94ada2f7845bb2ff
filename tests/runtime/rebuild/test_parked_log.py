"""What a parked topic tells of queues, when nothing else knows of them any more."""

from collections.abc import Sequence
from typing import Any

from shared.events.envelope import canonical, headers_of
from shared.runtime.kafka.records import Record
from shared.runtime.parking.queue import DISCARDED, RETRIED
from shared.runtime.processing.dead_letters import PARKED
from shared.runtime.rebuild.parked_log import Coordinates, Queue, QueuedRow, queues_of


def at(offset: int) -> Coordinates:
    return Coordinates("facts", 0, offset)


def parked(offset: int, subject: str = "p1") -> Record:
    story = [
        ("parked_topic", b"facts"),
        ("parked_partition", b"0"),
        ("parked_offset", str(offset).encode()),
    ]
    return _record(subject, PARKED, b"{", story)


def discarded(offset: int) -> Record:
    return _record("p1", DISCARDED, canonical({"row": 7, "reason": "x", **_named(offset)}))


def retried(*offsets: int, stuck: int | None = None) -> Record:
    told = {"rows": [at(each) for each in offsets], "stuck": None if stuck is None else at(stuck)}
    return _record("p1", RETRIED, canonical({"applied": len(offsets), **told}))


def _named(offset: int) -> dict[str, Any]:
    return at(offset)._asdict()


def _record(subject: str, type_: str, value: bytes, more: Sequence[Any] = ()) -> Record:
    return Record("parked", 0, 0, subject.encode(), value, [*headers_of(type_, "id"), *more])


def waiting(
    told: Sequence[Record], rows: Sequence[int], broadcasts: Sequence[int] = ()
) -> list[int]:
    """Give which rows, by their offsets, of a queue folded anew still wait."""
    queue = queues_of(told).get("p1", Queue())
    return queue.waiting([QueuedRow(n, at(n), n if n in broadcasts else None) for n in rows])


def test_what_was_parked_waits_until_it_is_settled() -> None:
    assert waiting([parked(1), parked(2)], [1, 2]) == [1, 2]
    assert waiting([parked(1), parked(2), discarded(1)], [2]) == [2]
    assert waiting([parked(1), parked(2), discarded(1), retried(2)], [2]) == []


def test_what_was_never_parked_did_not_wait() -> None:
    """Folded anew it queues behind what was retried long before it came."""
    assert waiting([parked(1), retried(1)], [1, 2, 3], broadcasts=[3]) == []
    assert waiting([], [1, 2]) == []


def test_a_broadcast_waits_behind_what_waits() -> None:
    assert waiting([parked(1), parked(3)], [1, 2, 3], broadcasts=[2]) == [1, 2, 3]
    assert waiting([parked(1), parked(3), retried(1, 2)], [1, 2, 3], broadcasts=[2]) == [3]


def test_a_broadcast_that_could_not_be_applied_waits_itself() -> None:
    told = [parked(1), retried(1, stuck=2)]

    assert waiting(told, [1, 2, 3], broadcasts=[2, 3]) == [2, 3]
    assert waiting([*told, retried(2, 3)], [1, 2, 3], broadcasts=[2, 3]) == []


def test_repetitions_and_other_peoples_queues_change_nothing() -> None:
    told = [parked(1), parked(1, "p2"), parked(1), discarded(1), discarded(1)]

    assert waiting(told, [2]) == []
    assert queues_of(told)["p2"].parked == {at(1)}


def test_a_discard_of_before_that_names_no_place_is_none() -> None:
    """Its record waits again: nobody guesses which one was meant."""
    old = _record("p1", DISCARDED, canonical({"row": 7, "reason": "x", "actor": "siti"}))

    assert waiting([parked(1), old], [1]) == [1]
