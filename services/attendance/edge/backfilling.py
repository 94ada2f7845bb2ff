"""Publishing a dataset's plan: keyed facts and broadcasts, in the one order they became known."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.attendance.edge.facts import Planned
from shared.events.envelope import Envelope

CHUNK = 5_000  # Facts sent before their answers are awaited: some milliseconds of the broker.

Tick = Callable[[int, int], None]


class Publisher(Protocol):
    """Where facts go (`shared.runtime.broadcaster.Broadcaster`).

    Both give how many were new, and return when everything sent is acknowledged: so a keyed fact
    that stands before a broadcast is acknowledged before it leaves, and one behind it later.
    """

    async def broadcast(self, envelopes: Sequence[Envelope], /) -> int:
        """Send broadcasts to every partition."""

    async def publish(self, envelopes: Sequence[Envelope], /) -> int:
        """Send keyed facts."""


@dataclass
class Sent:
    """What a backfill published: facts in the plan, and those of them that were new."""

    facts: int = 0
    new: int = 0


async def publish_plan(plan: Iterable[Planned], publisher: Publisher, tick: Tick) -> Sent:
    """Publish a plan in its order; a repetition adds nothing.

    `tick` hears the facts so far and the instant at which the last of them became known.
    Errors: ConflictingBroadcast if a known id comes with other data: nothing of it is sent.
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
