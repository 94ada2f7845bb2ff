"""Publishing by a command: past the outbox in bulk, through it what goes to everybody."""

import asyncio
import re

import asyncpg
import pytest
from msgspec.structs import replace

from shared.events.envelope import fact_id
from shared.local.stack import LocalStack
from shared.runtime.broadcast import bulk, topic_scan
from shared.runtime.broadcast.conflicts import ConflictingBroadcastError, ConflictingFactError
from shared.runtime.broadcast.guard import TopicAheadError
from shared.runtime.broadcast.transaction import TooLargeError
from shared.runtime.kafka.producer import DeliveryFailedError
from shared.runtime.kafka.topics import PARTITIONS
from tests.kit.broadcasting import (
    PEOPLE,
    FactTopic,
    begin_bulk,
    closing,
    everywhere,
    heard,
    let_die,
    said,
    tap,
)
from tests.kit.outboxes import until
from tests.kit.topic_log import records
from tests.runtime.broadcast.test_facts import letter


async def test_broadcasts_and_facts_of_a_command_stand_as_it_gave_them(place: FactTopic) -> None:
    """Those before a broadcast are acknowledged first, those behind it leave after it."""
    async with place.bulk({"linger.ms": 50}) as publisher:
        for day in range(20):
            assert await publisher.publish([tap(person, day) for person in PEOPLE]) == 60
            assert await publisher.broadcast([closing(day)]) == 1

    told = place.told()
    assert sum(len(some) for some in told.values()) == 20 * (len(PEOPLE) + PARTITIONS)
    for some in told.values():
        days = [number for _, _, number in some]
        assert days == sorted(days)
        assert [seq for seq, _, day in some if day == 4][-1] == 5


async def test_it_ends_without_a_service_and_beside_one(place: FactTopic) -> None:
    """The command's own relay stands ready; where a service's works, that one publishes."""
    async with place.bulk() as publisher:
        await publisher.broadcast([closing(1)])
    async with place.relay() as relay:
        await until(lambda: relay.active)
        async with place.bulk() as publisher:
            await publisher.broadcast([closing(2)])
        assert relay.status.published == 1

    assert place.broadcasts() == everywhere(1, 2)


async def test_more_than_fit_into_a_batch_stay_in_order(place: FactTopic) -> None:
    async with place.bulk() as publisher:
        assert await publisher.broadcast([closing(n) for n in range(2_500)]) == 2_500

    assert place.broadcasts() == everywhere(*range(2_500))


async def test_a_known_broadcast_is_not_sent_again(place: FactTopic) -> None:
    async with place.bulk() as publisher:
        await publisher.broadcast([closing(1), closing(2)])
    async with place.bulk() as publisher:
        assert await publisher.broadcast([closing(2), closing(3), closing(1)]) == 1
        with pytest.raises(ConflictingBroadcastError, match=r'data\.text: "", now "other"'):
            await publisher.broadcast([closing(5), closing(2, "other")])

    assert place.broadcasts() == everywhere(1, 2, 3)


async def test_a_fact_goes_to_its_persons_partition_once(place: FactTopic) -> None:
    """In order, and each id once, whoever publishes it again."""
    taps = [tap(person, n) for n in range(3) for person in PEOPLE]
    async with place.bulk() as publisher:
        assert await publisher.publish(taps[:100]) == 100
    async with place.bulk() as publisher:
        assert await publisher.publish([*taps, *taps[-20:]]) == 80
        assert await publisher.publish(taps) == 0

    by_person: dict[str, list[int]] = {}
    for some in records(place.bootstrap, place.topic).values():
        for record in some:
            seq, person, number = heard(record.value())
            assert (seq, record.key()) == (None, person.encode())
            by_person.setdefault(person, []).append(number)
    assert by_person == {person: [0, 1, 2] for person in PEOPLE}


async def test_through_the_outbox_and_past_it_a_key_has_one_partition(place: FactTopic) -> None:
    async with place.bulk() as publisher:
        await publisher.publish([tap(person, 1) for person in PEOPLE])
        async with publisher.facts.transaction(shared={"53.01"}) as tx:
            assert await tx.publish([tap(person, n) for n in (1, 2) for person in PEOPLE]) == 60
        await publisher.sent.everything()

    for some in place.told().values():
        by_person: dict[str, list[int]] = {}
        for _, person, number in some:
            by_person.setdefault(person, []).append(number)
        assert all(numbers == [1, 2] for numbers in by_person.values())


async def test_what_it_returns_from_is_on_the_log(place: FactTopic) -> None:
    async with place.bulk({"linger.ms": 5_000}) as publisher:
        await publisher.publish([tap(person, 1) for person in PEOPLE])
        facts = sum(topic_scan.ends_of(place.bootstrap, place.topic).values())
        await publisher.broadcast([closing(1)])
        everything = sum(topic_scan.ends_of(place.bootstrap, place.topic).values())

    assert (facts, everything) == (len(PEOPLE), len(PEOPLE) + PARTITIONS)


async def test_a_letter_that_says_otherwise_is_refused_and_nothing_of_it_is_sent(
    place: FactTopic,
) -> None:
    async with place.bulk() as publisher:
        with pytest.raises(ConflictingFactError):
            await publisher.publish([tap("C", 1), letter("A"), letter("A", last=7)])
        assert await publisher.publish([letter("A")]) == 1
        with pytest.raises(ConflictingFactError, match=re.escape("data.last_on")):
            await publisher.publish([tap("C", 1), letter("A", last=7)])
        with pytest.raises(TooLargeError):
            await publisher.publish([tap("C", 1), said("Tapped", "C", 2, "x" * 1_000_000)])

    told = [record for some in records(place.bootstrap, place.topic).values() for record in some]
    assert [record.key() for record in told] == [b"A"]


async def test_many_letters_are_locked_a_few_at_a_time(place: FactTopic) -> None:
    """A server has room for some thousand locks, and a dataset may be nothing but letters."""
    many = [replace(letter(f"E{n}"), id=fact_id("ExcuseRecorded", n)) for n in range(7_000)]
    async with place.bulk() as publisher:
        assert await publisher.publish(many) == 7_000
        assert await publisher.publish(many) == 0


async def test_several_commands_publish_at_once(place: FactTopic) -> None:
    """The same keyed facts and others, and broadcasts between them: nobody fails, all is there."""
    shared = [tap(person, n) for n in range(20) for person in PEOPLE]

    async def command(number: int) -> None:
        async with place.bulk() as publisher:
            for n in range(20):
                await publisher.publish(shared[n * 60 : n * 60 + 60])
                await publisher.publish([tap(f"{number}-{person}", n) for person in PEOPLE])
                await publisher.broadcast([closing(100 * number + n), closing(1_000 + n)])

    await asyncio.gather(*(command(number) for number in range(3)))

    told = place.told()
    said_once = {(who, n) for some in told.values() for seq, who, n in some if seq is None}
    assert said_once == {
        (who, n)
        for n in range(20)
        for person in PEOPLE
        for who in (person, *(f"{number}-{person}" for number in range(3)))
    }
    broadcasts = place.broadcasts()
    assert all(some == broadcasts[0] for some in broadcasts.values())
    assert sorted(broadcasts[0]) == sorted(
        [*range(1_000, 1_020), *(100 * number + n for number in range(3) for n in range(20))]
    )


async def test_others_get_in_between_its_chunks(
    place: FactTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broadcast of somebody else waits for a chunk, not for the command (at most a second)."""
    monkeypatch.setattr(bulk, "FACTS_AT_ONCE", 50)
    taps = [tap(person, n) for n in range(100) for person in PEOPLE]
    async with place.bulk() as publisher, place.facts() as facts:
        publishing = asyncio.create_task(publisher.publish(taps))
        for number in range(5):
            await place.close(facts, [closing(number)])
            assert not publishing.done()
        await publishing
        await publisher.sent.everything()

    assert place.broadcasts() == everywhere(0, 1, 2, 3, 4)


async def test_no_chunk_passes_a_broadcast_that_is_committed_and_not_sent(
    place: FactTopic,
) -> None:
    """It waits, without its locks, until the relay has sent it; and says so."""
    words: asyncio.Queue[str] = asyncio.Queue()
    slow = await asyncpg.connect(place.url)
    async with place.bulk(waits=words.put_nowait) as publisher, place.facts() as facts:
        holding = slow.transaction()
        await holding.start()
        await slow.execute("SELECT pg_current_xact_id()")  # Holds back what the relay may read.
        await place.close(facts, [closing(1)])
        publishing = asyncio.create_task(publisher.publish([tap(person, 1) for person in PEOPLE]))
        async with asyncio.timeout(60):
            word = await words.get()
        async with facts.transaction(exclusive={"53.01"}) as tx:  # The locks are free meanwhile.
            await tx.broadcast([closing(2)])
        await holding.rollback()
        await publishing
    await slow.close()

    assert re.fullmatch(
        r"waits \d+ s until facts committed before are on the log:"
        r" a command: relay of facts sends them",
        word,
    )
    for some in place.told().values():
        assert [number for seq, _, number in some if seq is not None] == [1, 2]
        assert some[0] == (1, "53.01", 1)


@pytest.mark.system
async def test_no_lock_is_held_while_the_brokers_are_away(
    stack: LocalStack, place: FactTopic
) -> None:
    """Then doors go on; the command says for whom it waits, and ends when they are back."""
    words: asyncio.Queue[str] = asyncio.Queue()
    async with place.bulk(waits=words.put_nowait) as publisher, place.facts() as facts:
        await publisher.publish([tap("E000", 0)])
        stack.kafka.kill(1)
        try:
            publishing = asyncio.create_task(publisher.publish([tap(p, 1) for p in PEOPLE]))
            async with asyncio.timeout(60):
                word = await words.get()
            async with facts.transaction(exclusive={"53.01"}) as tx:
                await tx.broadcast([closing(1)])
            assert not publishing.done()
        finally:
            stack.kafka.start(1)
            stack.kafka.wait_healthy()
        await publishing
        await publisher.sent.everything()

    assert "for the brokers to acknowledge facts" in word
    told = {(who, n) for some in place.told().values() for _, who, n in some}
    assert told == {("E000", 0), ("53.01", 1), *((person, 1) for person in PEOPLE)}


@pytest.mark.system
@pytest.mark.parametrize("harm", ["SIGKILL", "SIGSTOP"])
async def test_who_dies_or_is_stopped_in_a_chunk_keeps_nobody_waiting(
    place: FactTopic, harm: str
) -> None:
    """What it had sent stands twice at most once it is given again; locks end with its session."""
    harmed = await begin_bulk(place, harm)
    async with place.facts() as facts, place.relay() as relay:
        await until(lambda: any(place.told().values()))
        await place.close(facts, [closing(1)])  # Waits until the server has ended the session.
        if harm == "SIGSTOP":
            harmed.kill()
        await let_die(harmed)
        await until(relay.drained)
        async with place.bulk() as publisher:
            assert await publisher.publish([tap(person, 1) for person in PEOPLE]) == 60

    told = [one for some in place.told().values() for one in some]
    assert {who: told.count((None, who, 1)) for who in PEOPLE} == dict.fromkeys(PEOPLE, 2)
    assert place.broadcasts() == everywhere(1)


async def test_what_the_brokers_refuse_is_not_taken_for_sent(place: FactTopic) -> None:
    large = said("Tapped", "E1", 1, "x" * 5_000)
    with pytest.raises(
        DeliveryFailedError, match=r"the brokers did not take .*: .*size too large"
    ):
        async with place.bulk({"message.max.bytes": 1_000}) as publisher:
            await publisher.publish([large])
    async with place.bulk() as publisher:
        assert await publisher.publish([large]) == 1


async def test_it_ends_with_what_ended_its_relay(
    place: FactTopic,
) -> None:
    """It waits for nothing that never comes: here for numbers that the topic holds already."""
    async with place.bulk() as publisher:
        await publisher.broadcast([closing(1)])
    await place.run("DELETE FROM tertib.known_broadcasts; DELETE FROM tertib.facts_scanned")
    with pytest.raises(TopicAheadError, match="holds broadcast 1, the table ends with 0"):
        async with place.bulk():
            pass


async def test_letters_of_one_id_by_two_commands_at_once(place: FactTopic) -> None:
    """One is sent, the other refused, whoever comes first."""

    async def command(person: str) -> int:
        async with place.bulk() as publisher:
            return await publisher.publish([tap(person, 1), letter(person)])

    ended = await asyncio.gather(command("A"), command("B"), return_exceptions=True)

    assert sorted(type(each).__name__ for each in ended) == ["ConflictingFactError", "int"]
    told = [record for some in records(place.bootstrap, place.topic).values() for record in some]
    assert len({record.key() for record in told}) == 1
