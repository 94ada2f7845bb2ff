"""The facts' relay: every partition holds the same broadcasts in the same order, whoever dies."""

import asyncio

import pytest

from shared.events.envelope import canonical, headers_of
from shared.runtime.broadcast.guard import TopicAheadError
from shared.runtime.broadcast.topic_scan import LogShrunkError
from shared.runtime.kafka import admin
from shared.runtime.kafka.topics import PARTITIONS
from tests.kit.broadcasting import (
    PEOPLE,
    FactTopic,
    begin_doomed,
    closing,
    everywhere,
    let_die,
    once,
    tap,
)
from tests.kit.outboxes import until
from tests.kit.topic_log import records


async def test_a_broadcast_of_the_outbox_stands_in_every_partition(place: FactTopic) -> None:
    """Same id, same bytes, no key, numbered densely (design 2)."""
    async with place.facts() as facts, place.relay() as relay:
        await place.close(facts, [closing(1)])
        await place.close(facts, [closing(2), closing(3)])
        await until(relay.drained)

        assert relay.status.published == 3
    first = closing(1)
    held = records(place.bootstrap, place.topic)
    assert {some[0].value() for some in held.values()} == {
        canonical(first).replace(b'"data"', b'"broadcastseq":1,"data"')
    }
    assert all(some[0].headers() == headers_of(first.type, first.id) for some in held.values())
    assert {some[0].key() for some in held.values()} == {None}
    assert place.told() == {
        partition: [(1, "53.01", 1), (2, "53.01", 2), (3, "53.01", 3)]
        for partition in range(PARTITIONS)
    }


async def test_what_stands_around_a_broadcast_keeps_its_place(place: FactTopic) -> None:
    """Keyed facts go to their own partition, before or behind it as they were committed."""
    async with place.facts() as facts, place.relay({"linger.ms": 50}) as relay:
        for day in range(10):
            async with facts.transaction(exclusive={"53.01"}) as tx:
                await tx.publish([tap(person, 2 * day) for person in PEOPLE])
                await tx.broadcast([closing(2 * day)])
                await tx.publish([tap(person, 2 * day + 1) for person in PEOPLE])
        await until(relay.drained)

    for some in place.told().values():
        own = [(subject, number) for seq, subject, number in some if seq is None]
        people = {subject for subject, _ in own}
        expected = [
            (what, number)
            for day in range(10)
            for what, number in [
                *((person, 2 * day) for person in PEOPLE if person in people),
                ("53.01", 2 * day),
                *((person, 2 * day + 1) for person in PEOPLE if person in people),
            ]
        ]
        assert [(subject, number) for _, subject, number in some] == expected


@pytest.mark.system
async def test_whoever_dies_among_the_partitions_all_end_the_same(place: FactTopic) -> None:
    """Killed after 1 to 23 of 24 partitions, with a second relay waiting."""
    async with place.facts() as facts:
        for reached in range(1, PARTITIONS):
            doomed = await begin_doomed(place, reached)
            async with place.relay() as second:
                await place.close(facts, [closing(3 * reached), closing(3 * reached + 1)])
                await let_die(doomed)
                await place.close(facts, [closing(3 * reached + 2)])
                await until(second.drained)

    broadcasts = place.broadcasts()
    assert once(broadcasts) == everywhere(*range(3, 3 * PARTITIONS))
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


@pytest.mark.system
async def test_facts_around_a_broadcast_keep_their_place_though_the_relay_is_killed(
    place: FactTopic,
) -> None:
    """Killed at its first broadcast, twice: what is repeated comes behind what it follows."""
    async with place.facts() as facts:
        for day in range(2):
            async with facts.transaction(exclusive={"53.01"}) as tx:
                await tx.publish([tap(person, 2 * day) for person in PEOPLE])
                await tx.broadcast([closing(2 * day)])
                await tx.publish([tap(person, 2 * day + 1) for person in PEOPLE])
    await let_die(await begin_doomed(place, 11))
    await let_die(await begin_doomed(place, 30))
    async with place.relay() as relay:
        await until(relay.drained)

    for some in place.told().values():
        firsts = list(dict.fromkeys((subject, number) for _, subject, number in some))
        sides = [
            2 * number if subject == "53.01" else 2 * number - number % 2
            for subject, number in firsts
        ]
        assert sides == sorted(sides), "a fact passed its broadcast"


async def test_a_table_that_is_behind_its_topic_is_refused(place: FactTopic) -> None:
    """An older state of the database would give numbers twice: both are named (design 2)."""
    async with place.facts() as facts, place.relay() as relay:
        await place.close(facts, [closing(1)])
        await until(relay.drained)
    await place.run("CREATE TABLE backup AS TABLE tertib.facts_scanned")
    async with place.facts() as facts, place.relay() as relay:
        await place.close(facts, [closing(2)])
        await until(relay.drained)
    await place.run(
        "DELETE FROM tertib.known_broadcasts WHERE broadcastseq = 2;"
        "DELETE FROM tertib.facts_scanned;"
        "INSERT INTO tertib.facts_scanned TABLE backup"
    )

    with pytest.raises(
        TopicAheadError, match="holds broadcast 2, the table ends with 1"
    ) as refusal:
        await place.new_relay().run()
    assert "\n" not in str(refusal.value)
    with pytest.raises(TopicAheadError):
        await place.bulk().__aenter__()


async def test_a_topic_of_another_database_is_refused(place: FactTopic) -> None:
    async with place.facts() as facts, place.relay() as relay:
        await place.close(facts, [closing(n) for n in range(3)])
        await until(relay.drained)
    await place.run("DROP SCHEMA tertib CASCADE")

    with pytest.raises(TopicAheadError, match="the table ends with 0"):
        await place.new_relay().run()
    assert place.broadcasts() == everywhere(0, 1, 2)


async def test_a_topic_that_was_made_anew_is_refused(place: FactTopic, topic_prefix: str) -> None:
    async with place.facts() as facts, place.relay() as relay:
        await place.close(facts, [closing(1)])
        await until(relay.drained)
    async with place.relay() as relay:  # What it looked at is noted when it begins to work.
        await until(lambda: relay.active)
    other = FactTopic(place.bootstrap, place.url, f"{topic_prefix}other.v1")
    await admin.ensure(place.bootstrap, [other.topic])

    with pytest.raises(LogShrunkError, match="1 was read, 0 is left"):
        await other.new_relay().run()


async def test_numbers_that_a_working_relay_sends_meanwhile_are_not_ahead(
    place: FactTopic,
) -> None:
    """A command looks at the topic while the service's relay works: the table is read last."""
    async with place.facts() as facts, place.relay() as relay:
        for n in range(20):
            closes = asyncio.create_task(place.close(facts, [closing(n)]))
            async with place.bulk():
                await closes
        await until(relay.drained)

    assert place.broadcasts() == everywhere(*range(20))


async def test_what_could_not_be_sent_is_sent_by_the_next_one(place: FactTopic) -> None:
    """A refused delivery: nothing is marked, so nothing is forgotten, and nothing overtakes it."""
    async with place.facts() as facts:
        async with place.relay({"message.max.bytes": 1_000}) as small:
            await place.close(facts, [closing(1)])
            await place.close(facts, [closing(2, "x" * 5_000), closing(3)])
            await until(lambda: small.status.published == 1)
            assert not await small.drained()
        assert once(place.broadcasts()) == everywhere(1)
        async with place.relay() as relay:
            await until(relay.drained)

    assert once(place.broadcasts()) == everywhere(1, 2, 3)
