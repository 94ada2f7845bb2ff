"""A member of a group on a real broker and database: what it tells, keeps, and finds again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from confluent_kafka import Consumer, TopicPartition

from shared.events.envelope import Envelope
from shared.runtime.consumer.runner import Runner
from shared.runtime.limits import Limits
from shared.runtime.parking import queries
from shared.runtime.processing.halt import Halt
from tests.faults.stage import until
from tests.kit import toy_facts as facts
from tests.kit.flow import PARTITIONS, Log
from tests.kit.toy import Toy
from tests.kit.toy_facts import check_in

LIMITS: dict[str, Any] = {
    "partitions": PARTITIONS,
    "session_ms": 6_000,
    "mirror_seconds": 0.1,
    "recheck_seconds": 0.2,
}


@dataclass
class Place:
    """A log and a database for one toy."""

    log: Log
    database: str

    def say(self, *said: Envelope) -> None:
        for each in said:
            if each.broadcastseq is None:
                self.log.publish("facts", [each])
            else:
                self.log.publish_everywhere("facts", each)

    def spoil(self, subject: str) -> None:
        """Write a record that says nothing."""
        self.log.write("facts", subject, "tertib.attendance.CheckInRecorded.v1", "bad", [b"{"])

    @asynccontextmanager
    async def member(self, **limits: Any) -> AsyncIterator[Runner]:
        """Run a member for as long as a block."""
        toy = Toy(f"{self.log.prefix}facts", f"{self.log.prefix}sums")
        runner = Runner(toy, self.log.bootstrap, self.database, Limits(**{**LIMITS, **limits}))
        await runner.start()
        try:
            yield runner
        finally:
            await runner.stop()

    async def sums(self) -> dict[str, tuple[int, int]]:
        rows = await self.ask("SELECT subject, count, total FROM read.toy_sums")
        return {subject: (count, total) for subject, count, total in rows}

    async def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement on the live table set."""
        connection = await asyncpg.connect(self.database)
        try:
            schema = await connection.fetchval("SELECT schema FROM tertib.table_set WHERE live")
            return [tuple(row) for row in await connection.fetch(sql.format(schema=schema))]
        finally:
            await connection.close()


@pytest.fixture
def place(bootstrap: str, database: str, topic_prefix: str) -> Place:
    log = Log(bootstrap, topic_prefix)
    log.create("facts")
    return Place(log, database)


async def done(place: Place, runner: Runner) -> None:
    """Wait until a member is at the end of the log."""
    async with asyncio.timeout(30):
        await runner.caught_up(place.log.ends(runner.projection))


async def test_a_member_that_is_started_again_goes_on_from_its_cursor(place: Place) -> None:
    """Nothing is heard twice, whatever Kafka's own commits say."""
    place.say(facts.registered(1), check_in("a", 1, 5), check_in("b", 1, 7))
    async with place.member() as first:
        await done(place, first)
    place.say(check_in("a", 2, 6), facts.closed(2))
    async with place.member() as second:
        await done(place, second)

        assert second.progress.records == 1 + PARTITIONS
        assert await place.sums() == {"a": (2, 111), "b": (1, 107)}


async def test_cursors_are_mirrored_for_lag_tools(place: Place) -> None:
    """Kafka's commits follow the stored cursors; nobody reads them back."""
    place.say(facts.registered(1), check_in("a", 1, 5), check_in("b", 1, 7))
    async with place.member() as runner:
        await done(place, runner)
        ends = place.log.ends(runner.projection)
        reader = Consumer({"bootstrap.servers": place.log.bootstrap, "group.id": runner.group})
        asked = [TopicPartition(*each) for each in ends]

        async def mirrored() -> bool:
            committed = await asyncio.to_thread(reader.committed, asked, 10)
            return {(each.topic, each.partition): each.offset for each in committed} == ends

        await until(mirrored, "it never came to that")
        reader.close()


async def test_kafkas_own_commits_decide_nothing(place: Place) -> None:
    """They say that all is done; the cursor says that nothing is, and everything is heard."""
    place.say(facts.registered(1), check_in("a", 1, 5))
    group = f"{place.log.prefix}sums@1"
    liar = Consumer({"bootstrap.servers": place.log.bootstrap, "group.id": group})
    ends = place.log.ends(Toy(f"{place.log.prefix}facts"))
    liar.commit(offsets=[TopicPartition(*each, end) for each, end in ends.items()],
                asynchronous=False)  # fmt: skip
    liar.close()
    async with place.member() as runner:
        await done(place, runner)

        assert await place.sums() == {"a": (1, 5)}


async def test_a_gap_that_is_filled_drains_by_itself(place: Place) -> None:
    """Number 2 comes late: what waited behind it is applied, and the next goes on."""
    said = [check_in("a", each, each, seq=each) for each in (1, 3, 4)]
    place.say(facts.registered(1), *said)
    async with place.member() as runner:
        await done(place, runner)
        assert await place.sums() == {"a": (1, 1)}
        place.say(check_in("a", 2, 2, seq=2), check_in("a", 5, 5, seq=5))
        await done(place, runner)

        async def drained() -> bool:
            return await place.sums() == {"a": (5, 15)}

        await until(drained, "it never came to that")
        assert await queries.listed(runner.store) == []


async def test_an_heir_drains_what_was_filled_before_the_member_died(place: Place) -> None:
    """The number that was missing is in the queue, and nobody was left to look at it."""
    said = [check_in("a", each, each, seq=each) for each in (1, 3)]
    place.say(facts.registered(1), *said)
    async with place.member() as first:
        await done(place, first)
    late = check_in("a", 2, 2, seq=2)
    place.say(late)
    async with place.member() as second:
        await done(place, second)
    await place.ask(  # As if it had died between its commit and the drain.
        "UPDATE {schema}.parked SET state = 'waiting'"
    )
    await place.ask("UPDATE {schema}.subjects SET parked = true, heard = '{{\"/upstream\": 1}}'")
    await place.ask("DELETE FROM {schema}.toy_taken WHERE number > 1")
    await place.ask("UPDATE {schema}.toy_sums SET count = 1, total = 1")
    async with place.member() as third:

        async def drained() -> bool:
            return await place.sums() == {"a": (3, 6)}

        await until(drained, "it never came to that")
        assert await queries.listed(third.store) == []


async def test_the_brake_stops_a_partition_until_somebody_lets_it_go(place: Place) -> None:
    """A bad deployment must not park everybody; a restart alone does not let it go on."""
    place.say(facts.registered(1))
    for number in range(12):
        place.spoil(f"p{number}0")
    async with place.member(in_a_row=1) as first:

        async def stopped() -> bool:
            return len(first.progress.stopped) == PARTITIONS

        await until(stopped, "it never came to that")
        assert {halt.kind for halt in first.progress.stopped.values()} == {"brake"}
        assert len(await queries.listed(first.store)) == PARTITIONS
    async with place.member() as second:

        async def still() -> bool:
            return len(second.progress.stopped) == PARTITIONS

        await until(still, "it never came to that")
        assert await queries.resume(second.store) == PARTITIONS
        await done(place, second)
        assert second.progress.stopped == {}
        assert len(await queries.listed(second.store)) == 12


async def test_a_stopped_partition_goes_on_when_it_is_repaired(place: Place) -> None:
    """It is looked at again, without a restart: here the missing broadcast was published."""
    place.say(facts.registered(1), check_in("a", 1, 5), facts.closed(3))
    async with place.member() as runner:

        async def stopped() -> bool:
            return len(runner.progress.stopped) == PARTITIONS

        await until(stopped, "it never came to that")
        gap = Halt("gap", "broadcast 3 follows 1: a gap")
        assert set(runner.progress.stopped.values()) == {gap}
        assert await place.sums() == {"a": (1, 5)}
        await place.ask("UPDATE {schema}.cursors SET broadcast = 2")
        await done(place, runner)

        assert await place.sums() == {"a": (1, 105)}


def test_who_hears_broadcasts_hears_one_topic() -> None:
    """The order between topics is undefined: nothing says by what to judge."""
    toy = Toy("one")
    toy.topics = ("one", "other")

    with pytest.raises(ValueError, match="one topic only"):
        Runner(toy, "nobody:1", "postgresql://nobody")
