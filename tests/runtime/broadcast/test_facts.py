"""The door of facts: real transactions at once, locked, numbered, held against what is known."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import date

import asyncpg
import pytest
from msgspec.structs import replace

from shared.events import attendance
from shared.events.base import Sealed
from shared.events.envelope import Envelope, canonical, fact_id
from shared.events.structs import as_struct
from shared.runtime.broadcast.conflicts import ConflictingBroadcastError, ConflictingFactError
from shared.runtime.broadcast.facts import Facts
from shared.runtime.broadcast.transaction import TooLargeError
from tests.kit.broadcasting import DAY, FactTopic, closing, heard, said, tap
from tests.kit.outboxes import until

A, B = "53.01", "53.02"
TURNS = 40


@pytest.fixture
async def door(database: str) -> AsyncIterator[Facts]:
    async with FactTopic("", database, "t").facts() as facts:
        yield facts


async def rows(door: Facts) -> list[tuple[int | None, str, int]]:
    """Give what the relay would publish, in its order: broadcastseq, subject, number."""
    found = await door.pool.fetch("SELECT payload FROM tertib.facts ORDER BY xid, id")
    return [heard(row["payload"]) for row in found]


async def is_waiting(door: Facts, sessions: int = 1) -> None:
    """Wait until so many sessions wait for an advisory lock."""
    waiting = (
        "SELECT count(*) FROM pg_locks JOIN pg_database ON database = pg_database.oid"
        " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
    )

    async def are_there() -> bool:
        return bool(await door.pool.fetchval(waiting) >= sessions)

    await until(are_there)


async def test_numbers_go_on_from_transaction_to_transaction(door: Facts) -> None:
    async with door.transaction(exclusive={A}) as tx:
        assert await tx.broadcast([closing(1), closing(2)]) == 2
        assert await tx.broadcast([closing(3)]) == 1
    async with door.transaction(exclusive={A, B}) as tx:
        assert await tx.broadcast([closing(4), closing(5, code=B)]) == 2

    assert await rows(door) == [(1, A, 1), (2, A, 2), (3, A, 3), (4, A, 4), (5, B, 5)]


async def test_what_is_rolled_back_leaves_no_gap(door: Facts) -> None:
    with pytest.raises(LookupError):
        await _broken_off(door)
    async with door.transaction(exclusive={A}) as tx:
        await tx.broadcast([closing(2)])
        assert await tx.publish([tap("E1", 1)]) == 1

    assert await rows(door) == [(1, A, 2), (None, "E1", 1)]


async def _broken_off(door: Facts) -> None:
    async with door.transaction(exclusive={A}) as tx:
        await tx.broadcast([closing(1)])
        await tx.publish([tap("E1", 1)])
        raise LookupError


async def test_commits_xids_and_numbers_have_one_order(door: Facts) -> None:
    """Many writers at once: what one read under its locks is what stands before it on the log.

    Each keyed fact says how many broadcasts of its regency were known when it was written; a
    broadcast says how many keyed facts of its regency were.
    """

    async def keyed(turn: int, code: str) -> None:
        async with door.transaction(shared={code}) as tx:
            await tx.connection.execute("SELECT pg_sleep($1)", turn % 7 / 1_000)
            seen = await tx.connection.fetchval(
                "SELECT count(*) FROM tertib.known_broadcasts WHERE regency = $1", code
            )
            await tx.publish([tap(f"{code}-{turn}", seen, code=code)])
            await tx.connection.execute("SELECT pg_sleep($1)", turn % 5 / 1_000)

    async def broadcast(turn: int, code: str) -> None:
        async with door.transaction(exclusive={code}) as tx:
            await tx.connection.execute("SELECT pg_sleep($1)", turn % 3 / 1_000)
            seen = await tx.connection.fetchval(
                "SELECT count(*) FROM tertib.facts WHERE key IS NOT NULL AND"
                " convert_from(payload, 'UTF8')::json ->> 'regency' = $1",
                code,
            )
            fact = said("DayClosed", f"{code}|{turn}", seen, code=code)
            await tx.broadcast([fact])

    await asyncio.gather(
        *(keyed(turn, code) for turn in range(2 * TURNS) for code in (A, B)),
        *(broadcast(turn, code) for turn in range(TURNS) for code in (A, B)),
    )

    found = await door.pool.fetch("SELECT xid, payload FROM tertib.facts ORDER BY xid, id")
    assert len(found) == 6 * TURNS
    numbers = [heard(row["payload"])[0] for row in found]
    assert [n for n in numbers if n is not None] == list(range(1, 2 * TURNS + 1))
    broadcasts, facts = {A: 0, B: 0}, {A: 0, B: 0}
    for row in found:
        text = row["payload"].decode()
        code = A if f'"regency":"{A}"' in text else B
        number, _, seen = heard(row["payload"])
        if number is None:
            assert seen == broadcasts[code]
            facts[code] += 1
        else:
            assert seen == facts[code]
            broadcasts[code] += 1


async def test_who_waited_for_the_numbers_reads_those_that_were_given_meanwhile(
    door: Facts,
) -> None:
    """At READ COMMITTED what is read behind a lock is what was committed before it was had."""
    async with door.transaction(exclusive={A}) as first:
        second = asyncio.create_task(_broadcast(door, B, 2))
        await is_waiting(door)
        await first.broadcast([closing(1)])
    await second

    assert await rows(door) == [(1, A, 1), (2, B, 2)]


async def _broadcast(door: Facts, code: str, number: int) -> None:
    async with door.transaction(exclusive={code}) as tx:
        await tx.broadcast([closing(number, code=code)])


async def test_keyed_facts_of_a_regency_are_written_at_once(door: Facts) -> None:
    async with door.transaction(shared={A}) as first:
        async with door.transaction(shared={A, B}) as second:
            await second.publish([tap("E2", 1), tap("E3", 1, code=B)])
        await first.publish([tap("E1", 1)])

    assert await rows(door) == [(None, "E2", 1), (None, "E3", 1), (None, "E1", 1)]


@pytest.mark.parametrize("code", [A, "*"])
async def test_a_broadcast_waits_for_the_keyed_facts_of_its_regency(
    door: Facts, code: str
) -> None:
    """One to `*` for those of all; and what comes behind it waits for it."""
    async with door.transaction(shared={A}) as first:
        broadcast = asyncio.create_task(_broadcast(door, code, 1))
        await is_waiting(door)
        await first.publish([tap("E1", 1)])
        behind = asyncio.create_task(_publish(door, [tap("E2", 1)]))
        await is_waiting(door, 2)
    await asyncio.gather(broadcast, behind)

    assert [subject for _, subject, _ in await rows(door)] == ["E1", code, "E2"]


async def _publish(door: Facts, envelopes: list[Envelope]) -> int:
    async with door.transaction(shared={A}) as tx:
        return await tx.publish(envelopes)


async def test_a_late_pin_and_the_punches_it_explains_are_one_commit(door: Facts) -> None:
    """A punch between the two is lost to neither: it waits before, or is resolved behind.

    The table stands for one of a service's own, changed in the same transaction.
    """
    await door.pool.execute("CREATE TABLE waiting (number int); CREATE TABLE pins (pin text)")

    async def punch(number: int) -> None:
        async with door.transaction(shared={A}) as tx:
            if await tx.connection.fetchval("SELECT count(*) FROM pins"):
                await tx.publish([tap("E1", number)])
            else:
                await tx.publish([said("Unresolved", "S1", number)])
                await tx.connection.execute("INSERT INTO waiting VALUES ($1)", number)

    async def assign() -> None:
        async with door.transaction(exclusive={A}) as tx:
            await tx.connection.execute("INSERT INTO pins VALUES ('7')")
            await tx.broadcast([said("PinAssigned", A, 0)])
            there = await tx.connection.fetch("SELECT number FROM waiting ORDER BY number")
            await tx.publish([tap("E1", row["number"]) for row in there])

    first = [asyncio.create_task(punch(n)) for n in range(20)]
    await asyncio.gather(assign(), *first, *(punch(n) for n in range(20, 60)))

    told = await rows(door)
    at = told.index((1, A, 0))
    assert {number for _, who, number in told[at:] if who == "E1"} == set(range(60))
    assert all(who == "S1" for _, who, _ in told[:at])
    assert all(who == "E1" for _, who, _ in told[at + 1 :])


async def test_a_known_broadcast_is_not_written_again(door: Facts) -> None:
    """A repetition adds nothing: it keeps its number and bytes (design 2)."""
    async with door.transaction(exclusive={A}) as tx:
        await tx.broadcast([closing(1), closing(2)])
    async with door.transaction(exclusive={A}) as tx:
        assert await tx.broadcast([closing(2), closing(3), closing(3), closing(1)]) == 1
        assert await tx.broadcast([closing(3)]) == 0

    assert await rows(door) == [(1, A, 1), (2, A, 2), (3, A, 3)]


@pytest.mark.parametrize("first", [[closing(1)], []], ids=["before", "beside it"])
async def test_a_known_id_with_other_data_is_refused(door: Facts, first: list[Envelope]) -> None:
    """Both are named, and nothing of the transaction is written (design 2)."""
    async with door.transaction(exclusive={A}) as tx:
        await tx.broadcast(first)
    with pytest.raises(ConflictingBroadcastError) as refusal:
        async with door.transaction(exclusive={A}) as tx:
            await tx.broadcast([closing(5), closing(1), closing(1, "other")])
    async with door.transaction(exclusive={A}) as tx:
        await tx.broadcast([closing(2)])

    for part in (closing(1).id, "DayClosed", 'data.text: "", now "other"'):
        assert part in str(refusal.value)
    assert [number for _, _, number in await rows(door)] == [*[1 for _ in first], 2]


def letter(
    person: str, last: int = 6, recorded: str = DAY, document: str = "one", code: str = A
) -> Envelope:
    """Record letter X1."""
    fact = attendance.ExcuseRecorded(
        excuse_id="X1",
        employee_id=person,
        first_on=date(2026, 1, 5),
        last_on=date(2026, 1, last),
        kind=Sealed(kid="k", ct=document),
    )
    envelope = said("ExcuseRecorded", person, 1, code=code)
    return replace(
        envelope,
        data=as_struct(fact),
        id=fact_id("ExcuseRecorded", "X1"),
        time=recorded,
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
    door: Facts, again: Envelope, named: str
) -> None:
    """Beside the first or much later; nothing of it is written, and others may be."""
    with pytest.raises(ConflictingFactError, match=re.escape(named)):
        await _publish(door, [tap("C", 1), letter("A"), again])
    assert await _publish(door, [letter("A")]) == 1
    with pytest.raises(ConflictingFactError, match=re.escape(named)) as refusal:
        await _publish(door, [tap("C", 1), again])
    assert await _publish(door, [tap("C", 2), letter("A", document="other")]) == 1

    assert letter("A").id in str(refusal.value)
    payloads = await door.pool.fetch("SELECT payload FROM tertib.facts ORDER BY xid, id")
    assert [row["payload"] for row in payloads] == [canonical(letter("A")), canonical(tap("C", 2))]


async def test_when_it_arrived_is_no_part_of_what_a_fact_says(door: Facts) -> None:
    """What comes late is known when it comes; given again, the first stands (A13)."""
    later = {"recordedtime": "2026-11-30T08:00:00+08:00"}
    async with door.transaction(exclusive={A}) as tx:
        await tx.broadcast([closing(1)])
        await tx.publish([letter("A")])
    async with door.transaction(exclusive={A}) as tx:
        assert await tx.broadcast([replace(closing(1), **later)]) == 0
        assert await tx.publish([replace(letter("A"), **later)]) == 0


async def test_who_goes_on_after_a_refusal_loses_nothing_of_what_was_refused(door: Facts) -> None:
    """What stood beside the refused fact is not taken for published."""
    await _publish(door, [letter("A")])
    async with door.transaction(shared={A}) as tx:
        with pytest.raises(ConflictingFactError):
            await tx.publish([tap("C", 1), letter("A", last=7)])
        assert await tx.publish([tap("D", 1)]) == 1

    assert await _publish(door, [tap("C", 1)]) == 1


async def test_of_two_letters_of_one_id_written_at_once_one_is_refused(door: Facts) -> None:
    """Whoever comes second waits until it is certain what the first says."""
    async with door.transaction(shared={A}) as first:
        await first.publish([letter("A")])
        second = asyncio.create_task(_other_letter(door))
        await is_waiting(door)
    with pytest.raises(ConflictingFactError, match='subject: "A", now "B"'):
        await second


async def _other_letter(door: Facts) -> None:
    async with door.transaction(shared={B}) as tx:
        await tx.publish([letter("B", code=B)])


async def test_who_writes_the_same_facts_at_once_disturbs_nobody(door: Facts) -> None:
    taps = [tap(f"E{n}", 1) for n in range(100)]
    await asyncio.gather(*(_publish(door, taps[n:] + taps[:n]) for n in range(0, 100, 10)))

    assert await _publish(door, taps) == 0
    assert {subject for _, subject, _ in await rows(door)} == {f"E{n}" for n in range(100)}


async def test_what_is_not_locked_is_not_written(door: Facts) -> None:
    for shared, exclusive in (({A}, set()), (set(), {B})):
        with pytest.raises(ValueError, match=f"not locked for what is written: {A}"):
            async with door.transaction(shared=shared, exclusive=exclusive) as tx:
                await tx.broadcast([closing(1)])
    with pytest.raises(ValueError, match=f"not locked for what is written: {A}"):
        async with door.transaction(shared={B}) as tx:
            await tx.publish([tap("E1", 1)])

    assert await rows(door) == []


async def test_what_fits_into_no_record_is_refused_before_it_has_a_number(door: Facts) -> None:
    """Once numbered it would have to be sent, and no relay could ever go on."""
    large = "x" * 1_000_000
    for envelopes in ([closing(1), closing(2, large)], [tap("E1", 1), tap("E1", 2, large)]):
        with pytest.raises(TooLargeError):
            async with door.transaction(exclusive={A}) as tx:
                await (tx.publish if envelopes[0].subject == "E1" else tx.broadcast)(envelopes)
    await _broadcast(door, A, 3)

    assert await rows(door) == [(1, A, 3)]


async def test_nobody_waits_without_a_word(door: Facts, database: str) -> None:
    """From two seconds on it is said for whom; and then that it is over."""
    words: asyncio.Queue[str] = asyncio.Queue()

    async def broadcast() -> None:
        async with door.transaction(exclusive={A, B}, waits=words.put_nowait) as tx:
            await tx.broadcast([closing(1)])

    named = {"application_name": "tertib backfill"}
    other = await asyncpg.connect(database, server_settings=named)
    async with other.transaction():
        await other.execute(
            "SELECT pg_advisory_xact_lock_shared(hashtextextended('tertib.facts/53.01', 0))"
        )
        waiting = asyncio.create_task(broadcast())
        async with asyncio.timeout(60):
            said = [await words.get(), await words.get()]
    await waiting
    await other.close()

    for each, least in zip(said, (2, 4), strict=True):
        found = re.fullmatch(r"facts of 53\.01, 53\.02: waits (\d+) s for tertib backfill", each)
        assert found, each
        assert int(found[1]) >= least
    assert words.get_nowait() == ""
