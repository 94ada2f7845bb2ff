"""The status of a running service: whether it is alive, whether it is ready, how far it is.

Readiness is asked where it is known: the claims of the consumer loop, the brokers, the database,
the outbox. Cursors are read from the service's own tables, so any member can report all of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiokafka
import asyncpg
from aiokafka.errors import KafkaError

from shared.runtime.consumer.refusals import Refusals
from shared.runtime.consumer.runner import Runner
from shared.runtime.positions import TopicPartition
from shared.runtime.processing.halt import Halt, stored
from shared.runtime.storage import table_sets
from shared.runtime.storage.failures import REFUSED, UNAVAILABLE, silence_of

# A batch and its transaction take well under a second; rebalances and slow disks take more.
LOOP_SECONDS = 30.0
# The relay is woken by each commit: a row that waits longer means that it does not publish.
OUTBOX_SECONDS = 60.0
# Callers time out after two seconds, and should get a reason before that.
ANSWER_SECONDS = 1.5

_DONE = (
    "SELECT coalesce(sum(least(coalesce(n.next_offset, 0), o.next_offset))::float8"
    " / nullif(sum(o.next_offset), 0), 0)"
    " FROM {0}.cursors o LEFT JOIN {1}.cursors n USING (topic, partition)"
)

Part = Callable[[], Awaitable[Mapping[str, Any]]]  # A number `due` is work to be waited for.


class Outbox(Protocol):
    """What a relay tells of its outbox."""

    @property
    def active(self) -> bool:
        """Say whether it is this process that publishes it."""

    async def oldest_unsent_seconds(self) -> float | None:
        """Give the age of the oldest event that is not acknowledged; None: all are.

        Errors: those of the database.
        """


@dataclass
class ProcessStatus:
    """The signs of life of one process. `parts`: more for `/status`, by name.

    `troubles`: what a part of the process cannot do now, and why, by its name.
    """

    service: str
    pool: "asyncpg.Pool[Any]"
    runners: Sequence[Runner]
    outboxes: dict[str, Outbox] = field(default_factory=dict)  # By the name of the table.
    parts: Mapping[str, Part] = field(default_factory=dict)
    stopping: bool = False
    troubles: dict[str, str] = field(default_factory=dict)

    def dead(self) -> list[str]:
        """Name the consumer loops that have stopped; empty: the process is alive."""
        return [
            f"{runner.group}: the consumer loop has not turned for {idle:.0f} s"
            for runner in self.runners
            if (idle := runner.progress.idle_seconds()) > LOOP_SECONDS
        ]

    async def unready(self) -> list[str]:
        """Give the reasons why the service is not ready; empty: it is."""
        reasons = ["the service is stopping"] if self.stopping else []
        reasons += self.dead()
        reasons += [f"{name}: {why}" for name, why in sorted(self.troubles.items())]
        for runner in self.runners:
            reasons += _unclaimed(runner)
        asked = [_silent_brokers(runner) for runner in self.runners]
        for found in await asyncio.gather(self._unsettled(), *asked):
            reasons += found
        return reasons

    async def _unsettled(self) -> list[str]:
        """Ask the database whether it answers, and how old the outboxes are."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.pool.fetchval("SELECT 1")
                ages = {
                    name: await outbox.oldest_unsent_seconds() or 0
                    for name, outbox in self.outboxes.items()
                }
        except (*UNAVAILABLE, REFUSED) as error:
            return [silence_of(error)]
        return [
            f"{name}: what was committed has waited {oldest:.0f} s to be published"
            for name, oldest in ages.items()
            if oldest > OUTBOX_SECONDS
        ]

    async def status(self) -> dict[str, Any]:
        """Report how far the service is: cursors, claims, stopped partitions, parked, outboxes.

        The cursors are read first: if the outbox is empty after that, everything that was
        concluded up to them is published.
        Errors: those of the database.
        """
        groups = {runner.group: await self._group(runner) for runner in self.runners}
        outboxes = {name: await _told_of(outbox) for name, outbox in self.outboxes.items()}
        return {
            "service": self.service,
            "stopping": self.stopping,
            "groups": groups,
            "outboxes": outboxes,
            "parts": {name: await part() for name, part in self.parts.items()},
        }

    async def _group(self, runner: Runner) -> dict[str, Any]:
        """Report on one projection, from its live tables and from this member's claims."""
        progress = runner.progress
        schema, rows, parked = await self._kept(runner.projection.name)
        cursors: dict[str, dict[str, int]] = {topic: {} for topic in runner.projection.topics}
        for row in rows:
            cursors[row["topic"]][str(row["partition"])] = row["next_offset"]
        stopped: dict[TopicPartition, Halt | None] = {
            (row["topic"], row["partition"]): stored(row["stopped_kind"], row["stopped"])
            for row in rows
        }
        stopped |= dict.fromkeys(progress.claimed) | progress.stopped  # A claim is the later word.
        return {
            "schema": schema,
            "cursors": cursors,
            "claimed": len(progress.claimed),
            "waiting": sorted(progress.waiting),
            "stopped": [
                {"topic": topic, "partition": number, "kind": halt.kind, "reason": halt.detail}
                for (topic, number), halt in sorted(stopped.items())
                if halt is not None
            ],
            "parked": parked,
            "refused": _refused(progress.refusals),
            "taken": progress.records,
            "told": progress.told,
        }

    async def rebuilding(self) -> dict[tuple[str, int], float]:
        """Say how far rebuilds of this service are, by projection and version: 0 to 1.

        A rebuild is a command of its own; its cursors stand in table sets that are newer than the
        live ones. Errors: those of the database.
        """
        found: dict[tuple[str, int], float] = {}
        for runner in self.runners:
            name = runner.projection.name
            async with self.pool.acquire() as connection, connection.transaction(readonly=True):
                live = await table_sets.live_schema(connection, name)
                for version, schema in await _building(connection, name):
                    found[name, version] = await connection.fetchval(_DONE.format(live, schema))
        return found

    async def _kept(
        self, projection: str
    ) -> tuple[str | None, Sequence[asyncpg.Record], dict[str, int]]:
        """Read the live table set as it stands at one moment; nothing before the first start."""
        async with (
            self.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            schema = await table_sets.live_schema(connection, projection)
            if schema is None:
                return None, (), {"records": 0, "subjects": 0}
            rows = await connection.fetch(
                "SELECT topic, partition, next_offset, stopped_kind, stopped"  # noqa: S608  (our own name)
                f" FROM {schema}.cursors ORDER BY topic, partition"
            )
            records, subjects = await connection.fetchrow(
                f"SELECT count(*), count(DISTINCT subject) FROM {schema}.parked"  # noqa: S608  (our own name)
                " WHERE state = 'waiting'"
            )
        return schema, rows, {"records": records, "subjects": subjects}


async def _told_of(outbox: Outbox) -> dict[str, Any]:
    oldest = await outbox.oldest_unsent_seconds()
    return {"unsent": oldest is not None, "oldest_seconds": oldest, "active": outbox.active}


async def _building(connection: asyncpg.Connection, projection: str) -> list[tuple[int, str]]:
    """Give version and schema of table sets that are newer than the live one: a rebuild's.

    One that was killed leaves its set behind until the next one switches.
    """
    rows = await connection.fetch(
        "SELECT n.version, n.schema FROM tertib.table_set n JOIN tertib.table_set o"
        " USING (projection) WHERE projection = $1 AND o.live AND"
        " substring(n.schema FROM '[0-9]+$')::int > substring(o.schema FROM '[0-9]+$')::int"
        " ORDER BY n.schema",
        projection,
    )
    return [(row["version"], row["schema"]) for row in rows]


def _refused(refusals: Refusals) -> dict[str, Any] | None:
    """Describe a series of refused transactions; None: there is none."""
    if refusals.reason is None:
        return None
    return {"times": refusals.times, "error": refusals.error, "passing": refusals.passing}


def _unclaimed(runner: Runner) -> list[str]:
    """Say which partitions this member does not work on. One without any has not joined yet."""
    progress = runner.progress
    stopped = [
        f"{runner.group}: {topic}/{number} is stopped: {halt.detail}"
        for (topic, number), halt in sorted(progress.stopped.items())
    ]
    if progress.refusals.reason is not None:
        stopped.append(f"{runner.group}: {progress.refusals.reason}")
    if progress.waiting:
        why = f" ({progress.claim_error})" if progress.claim_error else ""
        waiting = f"{runner.group}: {len(progress.waiting)} partitions wait for a claim{why}"
        return [*stopped, waiting]
    if not progress.claimed and not stopped:
        return [f"{runner.group}: no partition is assigned"]
    return stopped


async def _silent_brokers(runner: Runner) -> list[str]:
    """Ask the brokers through the consumer's own connection: a loop turns without them, too."""
    if not runner.progress.claimed or await ends_of(runner):
        return []
    return [f"{runner.group}: the brokers do not answer"]


async def ends_of(runner: Runner) -> dict[tuple[str, int], int]:
    """Give the ends of the log of what this member claims; empty if the brokers are silent."""
    wanted = [aiokafka.TopicPartition(*place) for place in runner.progress.claimed]
    if not wanted:
        return {}
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            ends = await runner.consumer.end_offsets(wanted)
    except (KafkaError, OSError, TimeoutError):
        return {}
    return {(each.topic, each.partition): end for each, end in ends.items()}
