"""The hot loop is held to the rules of `apply.py`, as applied to one record after the other."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from shared.events.envelope import Envelope
from shared.runtime.limits import Limits
from shared.runtime.processing.brake import Brake
from shared.runtime.processing.fold_signals import FoldFailedError
from shared.runtime.processing.halt import Halt
from shared.runtime.processing.worker import Worker
from shared.runtime.processing.write_batch import WriteBatch
from shared.runtime.projection import Changes
from tests.kit import toy_facts as facts
from tests.kit.memory_store import MemoryStore
from tests.kit.plain_fold import Plain
from tests.kit.toy import SUMS, Toy
from tests.kit.toy_facts import Record, check_in, log_of, record
from tests.kit.toy_memory import ANSWERS, TOPIC

PEOPLE = ("a", "b", "c")
PLACE = TOPIC, 0
HEARD, UNHEARD = b"attendance.CheckInRecorded", b"attendance.WorkdayAssessed"
Said = Envelope | Record


def relabelled(each: Record, kind: bytes) -> Record:
    """Say that a record is of another kind, in its value and in its header."""
    headers = [(name, value.replace(HEARD, kind)) for name, value in each.headers]
    return replace(each, value=(each.value or b"").replace(HEARD, kind), headers=headers)


@st.composite
def keyed(draw: st.DrawFn, at: int) -> Said:
    """Draw what one person's key carries, good and bad."""
    who, seq = draw(st.sampled_from(PEOPLE)), draw(st.integers(1, 4))
    via = draw(st.sampled_from(["mobile", "mobile", "manual"]))
    plain = check_in(who, at, at + 1, via=via)
    numbered = check_in(who, at, at + 1, seq=seq)
    kinds: dict[str, Said] = {
        "plain": plain,
        "numbered": numbered,
        "read back": structs.replace(numbered, source="/attendance"),
        "unheard": relabelled(record(TOPIC, 0, 0, numbered), UNHEARD),
        "stranger": check_in(who, at, 1, regency="99.99"),
        "numbered stranger": check_in(who, at, 1, regency="99.99", seq=seq),
        "contradiction": check_in(who, at, "contradiction"),
        "broken fold": check_in(who, at, "x", seq=draw(st.sampled_from([None, seq]))),
        "broken bytes": replace(record(TOPIC, 0, 0, plain), value=b"{"),
        "no key": replace(record(TOPIC, 0, 0, plain), key=None),
        "other key": replace(record(TOPIC, 0, 0, plain), key=b"b"),
        "unknown type": relabelled(record(TOPIC, 0, 0, plain), b"attendance.Nonsense"),
    }
    weights = ["plain"] * 6 + ["numbered"] * 6 + ["read back"] * 2 + ["unheard"] * 2
    return kinds[draw(st.sampled_from([*weights, *kinds]))]


@st.composite
def broadcast(draw: st.DrawFn, number: int) -> Envelope:
    """Draw a broadcast of this number, or one of a number that it must not have."""
    number += draw(st.sampled_from([0] * 16 + [-1, -1, 1]))
    some = draw(st.lists(st.sampled_from(PEOPLE), min_size=1, unique=True))
    kinds = (
        ["closed"] * 4 + ["calendar"] * 4 + ["passed by", "registered", "impossible", "failing"]
    )
    match draw(st.sampled_from(kinds)):
        case "closed":
            return facts.closed(number)
        case "calendar":
            return facts.calendar(number, *some)
        case "passed by":
            return facts.passed_by(number)
        case "registered":
            return facts.registered(number, "99.99")
        case "impossible":
            return facts.impossible(number)
        case _:
            return facts.calendar(number, *some, failing=True)


@st.composite
def logs(draw: st.DrawFn) -> list[Record]:
    """Draw the log of one partition."""
    said: list[Said] = [facts.registered(1)]
    number = 1
    for at in range(draw(st.integers(1, 25))):
        what = draw(st.sampled_from(["keyed"] * 6 + ["broadcast", "again"]))
        if what == "keyed":
            said.append(draw(keyed(at)))
        elif what == "again":
            said.append(draw(st.sampled_from(said)))
        else:
            new = draw(broadcast(number + 1))
            number = max(number, new.broadcastseq or 0)
            said.append(new)
    return log_of(TOPIC, 0, said)


class Counted(MemoryStore):
    """Counts what was dropped as a repetition, and gathers gaps that were filled."""

    repeated = 0
    filled: frozenset[str] = frozenset()

    async def commit(self, writes: WriteBatch, rows: Mapping[str, Changes]) -> None:
        await super().commit(writes, rows)
        self.repeated += writes.ignored
        self.filled |= writes.filled


async def consumed(
    store: Counted, batches: Sequence[Sequence[Record]], budget: int, limits: Limits
) -> Halt | None:
    """Take batches as a consumer does, without the drain of gaps; give why it halts."""
    worker = Worker(store.projection, replace(limits, budget=budget))
    brake, part = Brake(limits), None
    for batch in batches:
        while True:
            if part is None:
                (part,) = await store.partitions(await store.cursors([PLACE]), limits)
                part.brake = replace(brake)  # As of what is written.
            left = [each for each in batch if each.offset >= part.next_offset]
            if not left:
                break
            try:
                step = await worker.step(store, {PLACE: part}, {PLACE: left})
            except FoldFailedError as failed:
                worker.mark(failed)
                worker.forget()
                part = None
                continue
            brake = step.brakes[PLACE]
            if step.stops:
                return step.stops[PLACE]
    return None


def left_by_the_loop(store: Counted, halt: Halt | None) -> dict[str, Any]:
    kept = store.kept
    return {
        "events": kept.events,
        "sums": {row[0]: row[1:] for row in kept.tables[SUMS].values()},
        "subjects": {
            name: (entry.last_seq, entry.heard, entry.parked)
            for name, entry in kept.subjects.items()
        },
        "waits": [(parked.subject, parked.offset, parked.reason) for parked, _ in kept.parked],
        "cursor": (kept.cursors[PLACE].next_offset, kept.cursors[PLACE].broadcast),
        "halt": halt and halt.kind,
        "repeated": store.repeated,
        "filled": store.filled,
    }


def left_by_the_rules(plain: Plain, halt: Halt | None) -> dict[str, Any]:
    touched = {name: each for name, each in plain.entries.items() if plain.part.holds(name)}
    states = [entry.state for entry in plain.entries.values()]
    return {
        "events": plain.events,
        "sums": {s.subject: (s.count, s.total, s.closings) for s in states if s.count},
        "subjects": {name: (e.last_seq, e.heard, e.parked) for name, e in touched.items()},
        "waits": plain.waits,
        "cursor": (plain.part.next_offset, plain.part.broadcast),
        "halt": halt and halt.kind,
        "repeated": plain.repeated,
        "filled": plain.filled,
    }


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_the_hot_loop_concludes_what_the_rules_say(data: st.DataObject) -> None:
    """Events, states, queues, cursor, halt and what was dropped, however the log is cut.

    Of a broadcast that fails for somebody, the cursor says how much of it is written before.

    Among them duplicates, gaps, repeated broadcasts, unknown regencies, contradictions, bytes that
    say nothing, and subjects that wait.
    """
    records = data.draw(logs())
    ends = sorted(data.draw(st.sets(st.integers(1, len(records)), max_size=4)) | {len(records)})
    batches = [records[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    limits = Limits(partitions=1, in_a_row=data.draw(st.sampled_from([1, 3, 20])))
    commands = data.draw(st.booleans())  # True: nothing is kept between two transactions.
    store = Counted(Toy(TOPIC, commands=commands), ANSWERS, 1)
    halt = asyncio.run(consumed(store, batches, data.draw(st.integers(1, 30)), limits))
    written_to = store.kept.cursors[PLACE].last_subject
    plain = Plain(Toy(TOPIC), limits, TOPIC, written_to=written_to)
    expected = plain.take(records)

    assert left_by_the_loop(store, halt) == left_by_the_rules(plain, expected)
