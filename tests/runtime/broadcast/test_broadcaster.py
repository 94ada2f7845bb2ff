"""The broadcaster: every partition holds the same broadcasts in the same order, whoever dies."""

import asyncio
import json
import re
import time
from dataclasses import dataclass
from datetime import date

import asyncpg
import pytest
from msgspec.structs import replace

from shared.events import attendance
from shared.events.base import Sealed
from shared.events.envelope import Envelope, canonical, fact_id, headers_of
from shared.events.structs import as_struct
from shared.runtime.broadcast import topic_scan
from shared.runtime.broadcast.broadcaster import (
    Broadcaster,
    ConflictingBroadcast,
    ConflictingFact,
    TooLarge,
    TopicAhead,
)
from shared.runtime.broadcast.topic_scan import LogShrunk
from shared.runtime.kafka import admin
from shared.runtime.kafka.producer import DeliveryFailed, ProducerConfig
from shared.runtime.kafka.topics import PARTITIONS
from tests.kit.broadcasting import DAY, begin_doomed, closing, let_die, said, tap
from tests.kit.topic_log import records, values

PEOPLE = [f"E{n:03}" for n in range(60)]


@dataclass
class Place:
    bootstrap: str
    url: str
    topic: str

    def broadcaster(self, settings: ProducerConfig | None = None) -> Broadcaster:
        return Broadcaster(self.url, self.bootstrap, self.topic, settings)

    async def run(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url)
        await connection.execute(statement)
        await connection.close()

    def told(self) -> dict[int, list[tuple[int | None, str, int]]]:
        """Give what stands in each partition: broadcastseq, subject and number."""
        return {
            partition: [_told(value) for value in some]
            for partition, some in values(self.bootstrap, self.topic).items()
        }

    def broadcasts(self) -> dict[int, list[int]]:
        """Give the numbers of the closings in each partition, in the order of the log."""
        return {
            partition: [number for seq, _, number in some if seq is not None]
            for partition, some in self.told().items()
        }


def _told(value: bytes) -> tuple[int | None, str, int]:
    envelope = json.loads(value)
    return envelope.get("broadcastseq"), envelope["subject"], envelope["data"]["number"]


def everywhere(*numbers: int) -> dict[int, list[int]]:
    return {partition: list(numbers) for partition in range(PARTITIONS)}


@pytest.fixture
async def place(bootstrap: str, database: str, topic_prefix: str) -> Place:
    topic = f"{topic_prefix}facts.v1"
    await admin.ensure(bootstrap, [topic])
    return Place(bootstrap, database, topic)


async def test_a_broadcast_stands_in_every_partition(place: Place) -> None:
    """Same id, same bytes, numbered densely (design 2)."""
    async with place.broadcaster() as broadcaster:
        assert await broadcaster.broadcast([closing(1)]) == 1
        assert await broadcaster.broadcast([closing(2), closing(3)]) == 2

    first = closing(1)
    held = records(place.bootstrap, place.topic)
    assert [len(held[partition]) for partition in range(PARTITIONS)] == [3] * PARTITIONS
    assert {some[0].value() for some in held.values()} == {
        canonical(first).replace(b'"data"', b'"broadcastseq":1,"data"')
    }
    assert all(some[0].headers() == headers_of(first.type, first.id) for some in held.values())
    assert all(
        some == [(1, "53.01", 1), (2, "53.01", 2), (3, "53.01", 3)]
        for some in place.told().values()
    )


async def test_numbers_go_on_with_the_next_broadcaster(place: Place) -> None:
    async with place.broadcaster() as broadcaster:
        await broadcaster.broadcast([closing(1)])
    async with place.broadcaster() as broadcaster:
        await broadcaster.broadcast([closing(2)])

    assert place.told()[7] == [(1, "53.01", 1), (2, "53.01", 2)]


async def test_more_than_fit_into_a_batch_stay_in_order(place: Place) -> None:
    async with place.broadcaster() as broadcaster:
        assert await broadcaster.broadcast([closing(n) for n in range(2_500)]) == 2_500

    assert place.broadcasts() == everywhere(*range(2_500))


async def test_a_known_broadcast_is_not_sent_again(place: Place) -> None:
    """A repetition adds nothing: it keeps its number and bytes (design 2)."""
    async with place.broadcaster() as broadcaster:
        await broadcaster.broadcast([closing(1), closing(2)])
    async with place.broadcaster() as broadcaster:
        assert await broadcaster.broadcast([closing(2), closing(3), closing(3), closing(1)]) == 1

    assert place.broadcasts() == everywhere(1, 2, 3)


@pytest.mark.parametrize("first", [[closing(1)], []], ids=["before", "beside it"])
async def test_a_known_id_with_other_data_is_refused(place: Place, first: list[Envelope]) -> None:
    """Both are named, and nothing of the call is sent (design 2)."""
    again = [closing(5), closing(1), closing(1, "other")]
    async with place.broadcaster() as broadcaster:
        await broadcaster.broadcast(first)
        with pytest.raises(ConflictingBroadcast) as refusal:
            await broadcaster.broadcast(again)
        await broadcaster.broadcast([closing(2)])

    for part in (closing(1).id, "DayClosed", 'data.text: "", now "other"'):
        assert part in str(refusal.value)
    assert place.broadcasts() == everywhere(*[1 for _ in first], 2)


async def test_a_fact_goes_to_its_persons_partition_once(place: Place) -> None:
    """In order, and each id once, whoever publishes it again."""
    taps = [tap(person, n) for n in range(3) for person in PEOPLE]
    async with place.broadcaster() as broadcaster:
        assert await broadcaster.publish(taps[:100]) == 100
    async with place.broadcaster() as broadcaster:
        assert await broadcaster.publish([*taps, *taps[-20:]]) == 80
        assert await broadcaster.publish(taps) == 0

    by_person: dict[str, list[int]] = {}
    for some in records(place.bootstrap, place.topic).values():
        for record in some:
            seq, person, number = _told(record.value())
            assert (seq, record.key()) == (None, person.encode())
            by_person.setdefault(person, []).append(number)
    assert by_person == {person: [0, 1, 2] for person in PEOPLE}


def letter(person: str, last: int = 6, recorded: str = DAY, document: str = "one") -> Envelope:
    """Record letter X1."""
    fact = attendance.ExcuseRecorded(
        excuse_id="X1",
        employee_id=person,
        first_on=date(2026, 1, 5),
        last_on=date(2026, 1, last),
        kind=Sealed(kid="k", ct=document),
    )
    envelope = said("ExcuseRecorded", person, 1)
    return replace(
        envelope,
        data=as_struct(fact),
        id=fact_id("ExcuseRecorded", "X1"),
        recordedtime=recorded,
        type=attendance.ExcuseRecorded.type_name(),
    )


@pytest.mark.parametrize(
    ("again", "named"),
    [
        (letter("A", last=7), 'data.last_on: "2026-01-06", now "2026-01-07"'),
        (letter("B"), 'subject: "A", now "B"'),
        (letter("A", recorded="2026-01-09T08:00:00+08:00"), "2026-01-09T08"),
    ],
)
async def test_a_letter_that_says_otherwise_under_its_id_is_refused_and_named(
    place: Place, again: Envelope, named: str
) -> None:
    """Beside the first or much later; nothing of it is sent, and others may be published."""
    async with place.broadcaster() as broadcaster:
        with pytest.raises(ConflictingFact, match=re.escape(named)):
            await broadcaster.publish([tap("C", 1), letter("A"), again])
        assert await broadcaster.publish([letter("A")]) == 1
    async with place.broadcaster() as broadcaster:
        with pytest.raises(ConflictingFact, match=re.escape(named)) as refusal:
            await broadcaster.publish([tap("C", 1), again])
        assert await broadcaster.publish([tap("C", 2), letter("A", document="other")]) == 1

    assert letter("A").id in str(refusal.value)
    told = [record for some in records(place.bootstrap, place.topic).values() for record in some]
    assert sorted(record.key() for record in told) == [b"A", b"C"]


async def test_letters_sent_before_contents_were_kept_are_held_against_nothing(
    place: Place,
) -> None:
    async with place.broadcaster() as broadcaster:
        await broadcaster.publish([letter("A")])
    await place.run("ALTER TABLE tertib.sent_facts DROP COLUMN content")
    async with place.broadcaster() as broadcaster:
        assert await broadcaster.publish([letter("A", last=7)]) == 0


async def test_facts_stand_on_their_side_of_a_broadcast(place: Place) -> None:
    """Those before it are acknowledged first, those behind it leave after it (design 2)."""
    async with place.broadcaster({"linger.ms": 50}) as broadcaster:
        for day in range(20):
            await broadcaster.publish([tap(person, day) for person in PEOPLE])
            await broadcaster.broadcast([closing(day)])

    told = place.told()
    assert sum(len(some) for some in told.values()) == 20 * (len(PEOPLE) + PARTITIONS)
    for some in told.values():
        days = [number for _, _, number in some]
        assert days == sorted(days)
        assert [seq for seq, _, day in some if day == 4][-1] == 5


async def test_what_it_returns_from_is_on_the_log(place: Place) -> None:
    """Whoever has its answer may forget the fact: a device gets its OK (design 2)."""
    async with place.broadcaster({"linger.ms": 5_000}) as broadcaster:
        await broadcaster.publish([tap(person, 1) for person in PEOPLE])
        facts = sum(topic_scan.ends_of(place.bootstrap, place.topic).values())
        await broadcaster.broadcast([closing(1)])
        everything = sum(topic_scan.ends_of(place.bootstrap, place.topic).values())

    assert (facts, everything) == (len(PEOPLE), len(PEOPLE) + PARTITIONS)


async def test_tasks_that_broadcast_at_once_take_turns(place: Place) -> None:
    async with place.broadcaster() as broadcaster:
        await asyncio.gather(*(broadcaster.broadcast([closing(n)]) for n in range(10)))

    told = place.told()
    assert all(some == told[0] for some in told.values())
    assert [seq for seq, _, _ in told[0]] == list(range(1, 11))


async def test_a_second_broadcaster_waits_for_the_first(place: Place) -> None:
    second = place.broadcaster()
    async with place.broadcaster() as first:
        entering = asyncio.create_task(second.__aenter__())
        await first.broadcast([closing(1)])
        done, _ = await asyncio.wait([entering], timeout=1.0)
        assert not done
    await entering
    await second.broadcast([closing(2)])
    await second.__aexit__(None, None, None)

    assert place.broadcasts() == everywhere(1, 2)


@pytest.mark.system
async def test_whoever_dies_among_the_partitions_all_end_the_same(place: Place) -> None:
    """Killed after 1 to 23 of 24 partitions, with a second one waiting (issue 3, 6 j)."""
    for reached in range(1, PARTITIONS):
        doomed = await begin_doomed(place.url, place.bootstrap, place.topic, reached)
        second = place.broadcaster()
        entering = asyncio.create_task(second.__aenter__())
        await let_die(doomed, range(3 * reached, 3 * reached + 2))
        await entering
        await second.broadcast([closing(3 * reached + 2)])
        await second.__aexit__(None, None, None)

    broadcasts = place.broadcasts()
    assert {p: list(dict.fromkeys(some)) for p, some in broadcasts.items()} == everywhere(
        *range(3, 3 * PARTITIONS)
    )
    twice = {
        reached: {p for p, some in broadcasts.items() if some.count(3 * reached) == 2}
        for reached in range(1, PARTITIONS)
    }
    assert twice == {reached: set(range(reached)) for reached in range(1, PARTITIONS)}
    assert all(_in_order(some) for some in broadcasts.values())


def _in_order(numbers: list[int]) -> bool:
    """Say whether a reader that drops what it has passed meets no gap."""
    last = numbers[0] - 1
    for number in numbers:
        if number > last + 1:
            return False
        last = max(last, number)
    return True


async def test_a_table_that_is_behind_its_topic_is_refused(place: Place) -> None:
    """An older state of the database would give numbers twice (design 2)."""
    async with place.broadcaster() as broadcaster:
        await broadcaster.broadcast([closing(1)])
    await place.run("CREATE TABLE backup AS TABLE tertib.broadcasts_looked_for")
    async with place.broadcaster() as broadcaster:
        await broadcaster.publish([tap(person, 1) for person in PEOPLE])
        await broadcaster.broadcast([closing(2)])
    await place.run(
        "DELETE FROM tertib.broadcasts_sent WHERE broadcastseq = 2;"
        "DELETE FROM tertib.broadcasts_looked_for;"
        "INSERT INTO tertib.broadcasts_looked_for TABLE backup"
    )

    with pytest.raises(TopicAhead, match="holds broadcast 2, the table ends with 1"):
        await place.broadcaster().__aenter__()


async def test_a_topic_of_another_database_is_refused(place: Place) -> None:
    async with place.broadcaster() as broadcaster:
        await broadcaster.broadcast([closing(n) for n in range(3)])
    await place.run("DROP SCHEMA tertib CASCADE")

    with pytest.raises(TopicAhead, match="the table ends with 0"):
        await place.broadcaster().__aenter__()


async def test_a_topic_that_was_made_anew_is_refused(place: Place, topic_prefix: str) -> None:
    async with place.broadcaster() as broadcaster:
        await broadcaster.broadcast([closing(1)])
    other = f"{topic_prefix}other.v1"
    await admin.ensure(place.bootstrap, [other])

    with pytest.raises(LogShrunk, match="1 was read, 0 is left"):
        await Broadcaster(place.url, place.bootstrap, other).__aenter__()


async def test_what_could_not_be_sent_is_sent_by_the_next_one(place: Place) -> None:
    """A refused delivery: nothing is marked, so nothing is forgotten."""
    async with place.broadcaster() as broadcaster:
        await broadcaster.broadcast([closing(1)])
    small = place.broadcaster({"message.max.bytes": 1_000})
    with pytest.raises(DeliveryFailed, match=r"the brokers did not take .*: .*size too large"):
        await _broadcast(small, [closing(2), closing(3, "x" * 5_000)])

    async with place.broadcaster() as broadcaster:
        assert await broadcaster.broadcast([closing(2), closing(4)]) == 1

    told = {p: list(dict.fromkeys(some)) for p, some in place.broadcasts().items()}
    assert told == everywhere(1, 2, 3, 4)


async def _broadcast(broadcaster: Broadcaster, envelopes: list[Envelope]) -> None:
    async with broadcaster:
        await broadcaster.broadcast(envelopes)


async def test_what_fits_into_no_record_is_refused_before_it_has_a_number(place: Place) -> None:
    """Once numbered it would have to be sent, and no broadcaster could ever begin again."""
    large = "x" * 1_000_000
    async with place.broadcaster() as broadcaster:
        with pytest.raises(TooLarge):
            await broadcaster.broadcast([closing(1), closing(2, large)])
        with pytest.raises(TooLarge):
            await broadcaster.publish([tap("E001", 1), said("Tapped", "E001", 2, large)])
        await broadcaster.broadcast([closing(3)])

    assert all(some == [(1, "53.01", 3)] for some in place.told().values())


async def test_it_is_entered_at_once_behind_a_short_tail(place: Place) -> None:
    """After a crash the tail is searched: that must not wait for records that never come."""
    async with place.broadcaster() as broadcaster:
        await broadcaster.publish([tap(person, 1) for person in PEOPLE])
    await place.run("DELETE FROM tertib.broadcasts_looked_for")
    began = time.monotonic()
    async with place.broadcaster():
        assert time.monotonic() - began < 20
