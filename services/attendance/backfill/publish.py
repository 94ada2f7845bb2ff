"""Publishing a dataset's plan: keyed facts and broadcasts, in the one order they became known."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.attendance.backfill.gaps import unheard_gaps
from services.attendance.backfill.plan import kids_of, plan, that_may_contradict
from services.attendance.backfill.plan_entries import Planned
from services.attendance.dataset.closings import first_closings
from services.attendance.dataset.dataset import Dataset
from services.attendance.dataset.findings import Finding
from services.attendance.facts.closings import Closed, closed_of, refuse_gaps
from services.attendance.facts.publisher import Publisher, refuse_wrong_clock
from shared.errors import CannotRunError
from shared.events.attendance import FACTS
from shared.events.envelope import Envelope
from shared.events.sealing import KeySealer, Sealer
from shared.runtime.broadcast.bulk import BulkPublisher, bulk_publisher
from shared.runtime.broadcast.conflicts import ConflictingBroadcastError, ConflictingFactError
from shared.runtime.broadcast.facts import Facts
from shared.runtime.broadcast.waiting import Waits, nobody_hears
from shared.runtime.kafka import admin
from shared.runtime.privacy.keyring import PostgresKeyring
from shared.runtime.settings import Settings

CHUNK = 5_000  # Facts sent before their answers are awaited: some milliseconds of the broker.

Tick = Callable[[int, int], None]


@dataclass
class Sent:
    """What a backfill published: facts in the plan, and those of them that were new.

    `not_closed`: by regency, the first day of the dataset and the first one closed on the log,
    where the dataset begins earlier: what lies before is never closed (A1).
    """

    facts: int = 0
    new: int = 0
    forgotten: int = 0  # People whose key is destroyed: nothing of them is published any more.
    not_closed: dict[str, tuple[date, date]] = field(default_factory=dict)
    unheard: dict[str, tuple[date, date]] = field(
        default_factory=dict
    )  # Closed without check-ins.


class ContradictedError(CannotRunError):
    """The dataset contradicts what was published; each finding names both. Nothing was sent."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        places = ", ".join(f"{each.file}:{each.line}" for each in findings[:5])
        super().__init__(f"the dataset contradicts what was published before: {places}")


async def backfill(
    dataset: Dataset, through: date, settings: Settings, tick: Tick, waits: Waits = nobody_hears
) -> Sent:
    """Publish a dataset through a date, once; a later date goes on from there.

    `waits` hears for whom or what it waits, from two seconds on, and "" when that is over. Errors:
    ContradictedError if a broadcast or a letter of the dataset contradicts one that is already
    published: nothing is sent then. CannotRunError if the clock is off the database's by more than
    a second, or if somebody else published the same regency meanwhile.
    """
    url = settings.database_url("attendance")
    await refuse_wrong_clock(url)
    await admin.ensure(settings.bootstrap, [FACTS], settings.replication)
    async with await PostgresKeyring.open(settings.keyring_url()) as keyring:
        keys = await keyring.keys_of(kids_of(dataset), create=True)
    sealer = KeySealer(keys)
    try:
        async with bulk_publisher(
            url, settings.bootstrap, FACTS, "tertib backfill", waits=waits
        ) as publisher:
            await _refuse_contradictions(dataset, through, sealer, publisher.facts)
            closed = await closed_of(publisher.facts, dataset.regencies)
            facts = plan(dataset, through, sealer, closed)
            sent = await publish_plan(facts, _Following(publisher), tick)
    except (ConflictingBroadcastError, ConflictingFactError) as error:
        raise CannotRunError(
            f"the dataset contradicts what was published before: {error}"
        ) from error
    sent.forgotten = sum(key is None for key in keys.values())
    sent.not_closed = _not_closed(dataset, closed)
    sent.unheard = unheard_gaps(dataset, closed, through)
    return sent


class _Following:
    """Publishes; closings only if each follows the last one of its regency."""

    def __init__(self, publisher: BulkPublisher) -> None:
        self._publisher = publisher

    async def broadcast(self, envelopes: Sequence[Envelope]) -> int:
        return await self._publisher.broadcast(envelopes, refuse_gaps)

    async def publish(self, envelopes: Sequence[Envelope]) -> int:
        return await self._publisher.publish(envelopes)


async def _refuse_contradictions(
    dataset: Dataset, through: date, sealer: Sealer, facts: Facts
) -> None:
    """Look for all that would be refused, before the first fact is sent.

    Errors: ContradictedError.
    """
    findings: list[Finding] = []
    entries = [*that_may_contradict(dataset, through, sealer)]
    for begin in range(0, len(entries), CHUNK):
        some = entries[begin : begin + CHUNK]
        envelopes = [entry.make().envelope for entry in some]
        findings += (
            Finding(
                some[at].file,
                some[at].line,
                "id",
                envelopes[at].id,
                "published_otherwise",
                details={"conflict": conflict},
            )
            for at, conflict in await facts.contradictions(envelopes)
        )
    if findings:
        raise ContradictedError(findings)


def _not_closed(dataset: Dataset, closed: dict[str, Closed]) -> dict[str, tuple[date, date]]:
    return {
        code: (first, closed[code].first)
        for code, first in first_closings(dataset).items()
        if code in closed and first < closed[code].first
    }


async def publish_plan(plan: Iterable[Planned], publisher: Publisher, tick: Tick) -> Sent:
    """Publish a plan in its order; a repetition adds nothing.

    `tick` hears the facts so far and the instant at which the last of them became known.
    Errors: ConflictingBroadcastError, ConflictingFactError if a known id comes with other data:
    nothing of that chunk is sent.
    """
    sent = Sent()
    waiting: list[Envelope] = []
    broadcasts = False
    for planned in plan:
        if waiting and (broadcasts != planned.kind.BROADCAST or len(waiting) >= CHUNK):
            await _send(publisher, waiting, sent, broadcasts=broadcasts)
            waiting = []
            tick(sent.facts, planned.at)
        broadcasts = planned.kind.BROADCAST
        waiting.append(planned.envelope)
    if waiting:
        await _send(publisher, waiting, sent, broadcasts=broadcasts)
    return sent


async def _send(
    publisher: Publisher, envelopes: Sequence[Envelope], sent: Sent, *, broadcasts: bool
) -> None:
    send = publisher.broadcast if broadcasts else publisher.publish
    sent.new += await send(envelopes)
    sent.facts += len(envelopes)
