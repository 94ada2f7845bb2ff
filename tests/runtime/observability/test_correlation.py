"""A line about one record or event says which, and in which chain; and nothing of a person."""

import io
import json
from collections.abc import Sequence
from typing import Any

import pytest
from confluent_kafka.admin import NewTopic
from prometheus_client import REGISTRY

from shared.events.base import NewEvent
from shared.events.envelope import Envelope, canonical, headers_of
from shared.local.kafka import admin_client
from shared.runtime.broadcast.bulk import bulk_publisher
from shared.runtime.broadcast.conflicts import ConflictingBroadcastError
from shared.runtime.kafka.producer import ProducerConfig
from shared.runtime.kafka.topics import PARTITIONS
from shared.runtime.observability import correlation
from shared.runtime.processing.command_handler import handle
from shared.runtime.processing.stamping import Times, caused_by, stamp
from shared.runtime.processing.state import SubjectState
from tests.kit import flow
from tests.kit import toy_facts as facts
from tests.kit.memory_store import MemoryStore
from tests.kit.outboxes import an_outbox, until
from tests.kit.toy import Known, Sum, Toy
from tests.kit.toy_facts import REGENCY, check_in
from tests.kit.toy_memory import TOPIC, fold, toy_store
from tests.runtime.consumer.test_runner import Place, place  # noqa: F401  (a fixture)

CANARY = "Canary Personname"
NIP = "198001012005011001"
NOW = "2026-02-01T09:00:00+08:00"
FORM, CASE = "/discipline/E1@4", "/attendance/E1@7"


def said(out: io.StringIO, event: str) -> list[dict[str, Any]]:
    """Give the lines of one event; none of all lines may speak of a person."""
    assert CANARY not in out.getvalue()
    assert NIP not in out.getvalue()
    return [
        line for line in map(json.loads, out.getvalue().splitlines()) if line["event"] == event
    ]


def make_topic(bootstrap: str, topic: str, config: dict[str, str] | None = None) -> None:
    admin = admin_client(bootstrap)
    wanted = NewTopic(topic, PARTITIONS, 1, config=config or {})
    admin.create_topics([wanted])[topic].result(30)


def an_event(cause: Envelope) -> tuple[str, bytes]:
    """Give the id and the bytes of an event that follows from a fact."""
    toy = Toy(TOPIC)
    (told,) = toy.add(Sum("E1"), 1, REGENCY, cause.id, Known())
    _, _, id_, _, value = stamp(told, "/attendance", SubjectState("E1", 0, None), caused_by(cause))
    return id_, value


def test_a_fact_begins_a_chain_and_its_event_is_in_it() -> None:
    fact = check_in("E1", 1, 5)
    id_, value = an_event(fact)

    assert correlation.ids_of(canonical(fact)) == {"event_id": fact.id, "correlation_id": fact.id}
    assert correlation.ids_of(value) == {
        "event_id": id_,
        "causation_id": fact.id,
        "correlation_id": fact.id,
    }


@pytest.mark.parametrize(
    "value", [b"{", b"", None, b"\xff", b'"x"', b'{"id": 7}', b"[" * 100_000], ids=repr
)
def test_of_what_cannot_be_read_the_header_is_named(value: bytes | None) -> None:
    assert correlation.ids_of(value, headers_of("any", "one")) == {"event_id": "one"}
    assert correlation.ids_of(value) == {}


@pytest.mark.parametrize("name", [CANARY, "Jalan Melati 5", "x" * 300, "é", "a\nb"])
def test_what_does_not_look_like_an_id_is_not_taken_over(name: str) -> None:
    value = json.dumps({"id": name, "causationid": name, "correlationid": "c"}).encode()

    assert correlation.ids_of(value) == {"correlation_id": "c"}
    assert correlation.ids_of(b"", [("ce_id", name.encode())]) == {}


async def test_a_parked_record_and_the_one_that_stops_a_partition_are_named(
    place: Place,  # noqa: F811  (the fixture)
    written: io.StringIO,
) -> None:
    contradiction, gap = check_in("a", 2, "contradiction"), facts.closed(3)
    place.say(facts.registered(1), check_in("a", 1, 5), contradiction)
    broken = json.dumps({"name": CANARY, "id": NIP}).encode() + b"}"
    place.log.write("facts", "b", "tertib.attendance.CheckInRecorded.v1", NIP, [broken])
    place.say(gap)
    async with place.member() as runner:
        await until(lambda: len(runner.progress.stopped) == flow.PARTITIONS)

    topic = place.log.prefix + "facts"
    parked = {line["reason"]: line for line in said(written, "record_parked")}
    assert parked["contradiction"]["event_id"] == contradiction.id
    assert parked["contradiction"]["correlation_id"] == contradiction.id
    assert parked["contradiction"]["topic"] == topic
    assert parked["decode"]["event_id"] == "[number]"
    stopped = said(written, "partition_stopped")
    assert {line["partition"] for line in stopped} == set(range(flow.PARTITIONS))
    assert {line["event_id"] for line in stopped} == {gap.id}
    assert {line["correlation_id"] for line in stopped} == {gap.id}
    behind = parked["contradiction"]
    (there,) = [line for line in stopped if line["partition"] == behind["partition"]]
    assert there["offset"] > behind["offset"]


async def test_a_delivery_that_is_refused_names_the_event(
    bootstrap: str, database: str, topic_prefix: str, written: io.StringIO
) -> None:
    """The broker takes nothing so large; what stands behind it is not blamed."""
    topic = f"{topic_prefix}events.v1"
    fact = check_in("E1", 1, 5)
    id_, value = an_event(fact)
    make_topic(bootstrap, topic, {"max.message.bytes": "2000", "compression.type": "uncompressed"})
    settings: ProducerConfig = {"compression.type": "none"}
    async with an_outbox(bootstrap, database, topic) as outbox:
        row = (topic, "E1", id_, "tertib.toy.Said.v1", value.ljust(5_000))
        await outbox.connection.copy_records_to_table(
            "events",
            schema_name="tertib",
            columns=("topic", "key", "event_id", "type", "payload"),
            records=[row],
        )
        async with outbox.relay(settings) as relay:
            await until(lambda: relay.status.failures >= 1)

    assert REGISTRY.get_sample_value(
        "tertib_relay_failures_total", {"service": "toy", "outbox": "events"}
    )
    (line, *_) = said(written, "relay_delivery_failed")
    assert (line["service"], line["topic"], line["event_id"]) == ("toy", topic, id_)
    assert (line["causation_id"], line["correlation_id"]) == (fact.id, fact.id)


async def test_a_command_is_named_by_its_chain_and_so_is_whoever_was_faster(
    written: io.StringIO,
) -> None:
    store = toy_store(commands=True)
    toy = store.projection
    assert isinstance(toy, Toy)
    heard = [facts.registered(1), check_in("E1", 1, 5)]
    await fold(store, [facts.log_of(TOPIC, 0, heard)])
    tries = 0

    def act(state: Sum, _: int) -> Sequence[NewEvent]:
        nonlocal tries
        tries += 1
        if tries == 1:
            _write_beside(store, "E1")
        return toy.add(state, 1, REGENCY, FORM, Known())

    await handle(store, "E1", act, Times(NOW, NOW, FORM, CASE, "official-1"))

    (lost,) = said(written, "subject_read_again")
    (told,) = said(written, "command_handled")
    for line in (lost, told):
        assert (line["subject"], line["actor"]) == ("E1", "official-1")
        assert (line["causation_id"], line["correlation_id"]) == (FORM, CASE)
    assert (told["event_id"], told["told"]) == ("/attendance/E1@2", 1)
    await handle(store, "E1", act, Times(NOW, NOW, FORM))
    assert len(said(written, "command_handled")) == 1, "a sender's outcome is one of thousands"


def _write_beside(store: MemoryStore, subject: str) -> None:
    """Write a subject's row, as the runner does in the middle of a command."""
    store.kept.subjects[subject].version += 1


async def test_a_broadcast_that_contradicts_another_is_named(
    bootstrap: str, database: str, topic_prefix: str, written: io.StringIO
) -> None:
    """A backfill's, for one: the command ends with it, and the log says which it was."""
    topic = f"{topic_prefix}facts"
    make_topic(bootstrap, topic)
    first, other = facts.calendar(1, "a"), facts.calendar(1, CANARY)
    async with bulk_publisher(database, bootstrap, topic, "a command") as publisher:
        with pytest.raises(ConflictingBroadcastError):
            await publisher.broadcast([first, other])

    (line,) = said(written, "broadcast_conflicts")
    assert (line["topic"], line["event_id"], line["correlation_id"]) == (topic, first.id, first.id)
