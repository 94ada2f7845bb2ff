"""`tertib rebuild attendance --adopt`, on a real broker: equality first, then shown, then said."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from services.attendance.domain import assessor
from services.attendance.domain.day_status import Moment, read
from services.attendance.domain.person import Day, Line
from services.attendance.domain.reference_data import Ask
from services.attendance.facts.adopting import FoldAdoption
from services.attendance.projection.assessor import Assessor
from shared.errors import CannotRunError
from shared.events.attendance import EVENTS, FACTS, FoldAdopted
from shared.events.envelope import Envelope
from shared.events.structs import decoder_of
from shared.runtime.broadcast.bulk import bulk_publisher
from shared.runtime.cli import rebuild as command
from shared.runtime.cli.options import FOUND_SOMETHING
from shared.runtime.consumer.runner import Runner
from shared.runtime.hosting.service import Service
from shared.runtime.kafka import admin
from shared.runtime.kafka.partition_reader import PartitionReader
from shared.runtime.kafka.topics import PARTITIONS, parked_of
from shared.runtime.limits import Limits
from shared.runtime.outbox.relay import Relay
from shared.runtime.rebuild.published_log import records_of, wait_until_published
from shared.runtime.rebuild.rebuild import rebuild
from tests.attendance.by_hand import concluded
from tests.attendance.logs import log
from tests.attendance.second_version import SecondVersion, allow
from tests.kit.servers import Servers

SLICES = Limits(budget=3)  # A broadcast is cut behind three people.
AT = 500


@dataclass
class Office:
    """The assessor's own topics, and its databases."""

    bootstrap: str
    database: str

    async def hears(self, facts: Sequence[Envelope]) -> None:
        """Publish facts as a backfill does; broadcasts get their numbers there."""
        async with bulk_publisher(self.database, self.bootstrap, FACTS, "tests") as publisher:
            for numbered, some in groupby(facts, lambda fact: fact.broadcastseq is not None):
                if numbered:
                    await publisher.broadcast([replace(each, broadcastseq=None) for each in some])
                else:
                    await publisher.publish(list(some))

    @asynccontextmanager
    async def running(self, assessor: Assessor) -> AsyncIterator[Runner]:
        """Run an assessor with the relay of the service."""
        runner = Runner(assessor, self.bootstrap, self.database, SLICES)
        await runner.start()
        relay = asyncio.create_task(Relay(self.database, self.bootstrap, "attendance").run())
        try:
            yield runner
        finally:
            relay.cancel()
            await asyncio.wait([relay])
            await runner.stop()

    async def settled(self, runner: Runner) -> None:
        """Wait until all that is on the log is taken, and what follows is published."""
        async with asyncio.timeout(60):
            await runner.caught_up(await asyncio.to_thread(self._ends))
        await wait_until_published(runner.store.pool)

    def _ends(self) -> dict[tuple[str, int], int]:
        reading = PartitionReader(self.bootstrap)
        try:
            return {(FACTS, n): reading.ends((FACTS, n))[1] for n in range(PARTITIONS)}
        finally:
            reading.close()

    def on(self, topic: str) -> list[bytes]:
        """Give all that stands on a topic."""
        reading = PartitionReader(self.bootstrap)
        try:
            return [
                record.value
                for number in range(PARTITIONS)
                for record in records_of(reading, (topic, number))
            ]
        finally:
            reading.close()

    async def command(self, *words: str, answer: str = "") -> Result:
        """Run `tertib rebuild attendance`."""
        said = ["attendance", *words]
        return await asyncio.to_thread(CliRunner().invoke, command.app, said, input=answer)


@pytest.fixture
def office(servers: Servers, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Give topics under their own names, and the assessor that can do version 2 as the service."""
    made = Office(servers.bootstrap, database)
    keyring = database.rpartition("/")[2].partition("?")[0] + "_keys"
    topics = [FACTS, EVENTS, parked_of(Assessor.name)]
    asyncio.run(admin.ensure(servers.bootstrap, topics))
    allow(monkeypatch)
    service = Service("attendance", [SecondVersion], adoption=FoldAdoption())
    monkeypatch.setattr(command, "built", lambda _: service)
    monkeypatch.setenv("TERTIB_KAFKA_BOOTSTRAP", servers.bootstrap)
    monkeypatch.setenv("TERTIB_ATTENDANCE_DATABASE_URL", database)
    monkeypatch.setenv("TERTIB_KEYRING_URL", servers.create_database(keyring))
    yield made
    servers.drop_database(keyring)
    for topic in topics:
        servers.delete_topics(topic)


async def test_a_version_is_shown_and_adopted_and_a_rebuild_says_equal(office: Office) -> None:
    facts = log(3, 18, 60)
    await office.hears(facts[:AT])
    async with office.running(SecondVersion()) as runner:
        await office.settled(runner)
        before = office.on(EVENTS)

        asked = await office.command("--adopt", "2", "--reason", "ten minutes", answer="n\n")
        assert asked.exit_code == 0
        assert "version 2 instead of 1" in asked.output
        assert "nothing was adopted" in asked.output
        assert adopted(office) == []

        done = await office.command("--adopt", "2", "--reason", "ten minutes", "--yes", "--json")
        assert done.exit_code == 0, done.output
        (told,) = json.loads(done.stdout.splitlines()[-1])
        await office.settled(runner)
        said = office.on(EVENTS)
        # What was shown is what is said.
        assert len(said) - len(before) == sum(told["adoption"]["counts"].values()) > 0
        (fact,) = adopted(office)
        assert (fact.subject, fact.regency, fact.data.version) == ("*", "*", 2)
        assert fact.actor
        assert fact.data.reason.kid == "regency/*"
        assert b"ten minutes" not in b"".join(office.on(FACTS))

        await office.hears(facts[AT:])
        await office.settled(runner)
        whole = [*facts[:AT], fact, *facts[AT:]]
        wanted = concluded(renumbered(whole), SecondVersion(forgets=False))
        assert sorted(office.on(EVENTS)) == sorted(
            value for values in wanted.told.values() for value in values
        )

        again = await rebuild(SecondVersion(), office.bootstrap, office.database)
        assert again.differences == []
        with pytest.raises(CannotRunError, match=r"version 2 of the fold was adopted.*can do 1:"):
            await rebuild(Assessor(), office.bootstrap, office.database)
        twice = await office.command("--adopt", "2", "--reason", "once more", "--yes")
        assert isinstance(twice.exception, CannotRunError)
        assert "version 2 of the fold is adopted already" in str(twice.exception)
    assert len(adopted(office)) == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--adopt", "2"), "--adopt needs --reason"),
        (("--adopt", "3", "--reason", "x", "--yes"), "can fold by version 1 and 2, not by 3"),
    ],
)
async def test_what_cannot_be_adopted_is_refused(
    office: Office, words: Sequence[str], why: str
) -> None:
    async with office.running(SecondVersion()):
        done = await office.command(*words)

    assert isinstance(done.exception, CannotRunError)
    assert why in str(done.exception)


async def test_only_what_is_equal_so_far_is_adopted(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that changed without a version: what version 1 said is no longer concluded."""
    await office.hears(log(3, 18, 60)[:AT])
    async with office.running(SecondVersion()) as runner:
        await office.settled(runner)
    monkeypatch.setattr(assessor, "read", stricter)

    done = await office.command("--adopt", "2", "--reason", "x", "--yes")

    assert done.exit_code == FOUND_SOMETHING
    assert "data.late_minutes was" in done.output
    assert adopted(office) == []


def stricter(
    now: Moment, day: int, line: Line | None, found: Ask | None, before: Day | None
) -> Day:
    """Count a minute more whenever there is one."""
    after = read(now, day, line, found, before)
    return replace(after, late=after.late + 1) if after.late else after


def adopted(office: Office) -> list[Any]:
    """Give the adoptions on the log, each once, though it is on every partition."""
    decode = decoder_of(FoldAdopted).decode
    found = {value for value in office.on(FACTS) if FoldAdopted.type_name().encode() in value}
    return [decode(value) for value in sorted(found)]


def renumbered(facts: Sequence[Envelope]) -> list[Envelope]:
    """Give broadcasts the numbers that they have where they were published."""
    numbers = iter(range(1, len(facts) + 1))
    return [
        each if each.broadcastseq is None else replace(each, broadcastseq=next(numbers))
        for each in facts
    ]
