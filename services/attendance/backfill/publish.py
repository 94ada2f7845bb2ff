"""Publishing a dataset's plan: keyed facts and broadcasts, in the one order they became known."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from services.attendance.backfill.plan import kids_of, plan
from services.attendance.backfill.plan_entries import Planned
from services.attendance.dataset.dataset import Dataset
from services.attendance.facts.publisher import Publisher, refuse_wrong_clock
from shared.events.attendance import FACTS
from shared.events.envelope import Envelope
from shared.events.sealing import KeySealer
from shared.runtime.broadcast.bulk import bulk_publisher
from shared.runtime.broadcast.conflicts import ConflictingBroadcast, ConflictingFact
from shared.runtime.broadcast.waiting import Waits, nobody_hears
from shared.runtime.errors import CannotRun
from shared.runtime.kafka import admin
from shared.runtime.privacy.keyring import PostgresKeyring
from shared.runtime.settings import Settings

CHUNK = 5_000  # Facts sent before their answers are awaited: some milliseconds of the broker.

Tick = Callable[[int, int], None]


@dataclass
class Sent:
    """What a backfill published: facts in the plan, and those of them that were new."""

    facts: int = 0
    new: int = 0
    forgotten: int = 0  # People whose key is destroyed: nothing of them is published any more.


async def backfill(
    dataset: Dataset, through: date, settings: Settings, tick: Tick, waits: Waits = nobody_hears
) -> Sent:
    """Publish a dataset through a date, once; a later date goes on from there.

    `waits` hears for whom or what it waits, from two seconds on, and "" when that is over.
    Errors: CannotRun if the clock is off the database's by more than a second, or if a broadcast
    or a letter of the dataset contradicts one already published.
    """
    url = settings.database_url("attendance")
    await refuse_wrong_clock(url)
    await admin.ensure(settings.bootstrap, [FACTS], settings.replication)
    async with await PostgresKeyring.open(settings.keyring_url()) as keyring:
        keys = await keyring.keys_of(kids_of(dataset), create=True)
    try:
        async with bulk_publisher(
            url, settings.bootstrap, FACTS, "tertib backfill", waits=waits
        ) as publisher:
            sent = await publish_plan(plan(dataset, through, KeySealer(keys)), publisher, tick)
    except (ConflictingBroadcast, ConflictingFact) as error:
        raise CannotRun(f"the dataset contradicts what was published before: {error}") from error
    sent.forgotten = sum(key is None for key in keys.values())
    return sent


async def publish_plan(plan: Iterable[Planned], publisher: Publisher, tick: Tick) -> Sent:
    """Publish a plan in its order; a repetition adds nothing.

    `tick` hears the facts so far and the instant at which the last of them became known.
    Errors: ConflictingBroadcast, ConflictingFact if a known id comes with other data: nothing of
    that chunk is sent.
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
