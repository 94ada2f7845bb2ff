"""The queue of a parked subject: shown, retried in order, discarded with a reason.

A record that cannot be applied parks its subject; later records and broadcasts queue behind it,
so that no later fact is applied to an incomplete state (kafka.md 9). Each command on a queue is
itself a record of the parked topic.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from shared.events.envelope import canonical
from shared.runtime.kafka.topics import parked_of
from shared.runtime.parking.queries import GAP
from shared.runtime.parking.redrive import Redrive
from shared.runtime.processing.command_handler import retry_on_conflict
from shared.runtime.processing.stamping import Event
from shared.runtime.processing.store_port import Store
from shared.runtime.processing.write_batch import WriteBatch

DISCARDED = "tertib.runtime.RecordDiscarded.v1"
RETRIED = "tertib.runtime.SubjectRetried.v1"


@dataclass(frozen=True)
class Outcome:
    """What a retry did: rows applied, rows that still wait, and why the first of them does."""

    applied: int
    waiting: int
    reason: str | None = None


async def discard(store: Store, subject: str, row_id: int, reason: str, actor: str) -> bool:
    """Discard one record for ever; False if it does not wait.

    The others still wait for a retry; if there are none, the subject is no longer parked.
    """

    async def once(live: Store) -> bool:
        (entry,) = await live.entries({subject: 0})
        waiting = {row.id: row for row in await live.queue(subject)}
        if row_id not in waiting:
            return False
        entry.parked = len(waiting) > 1
        writes = WriteBatch(touched=[entry], settled={row_id: "discarded"})
        topic, partition, offset = waiting[row_id].place
        told = {
            "subject": subject, "row": row_id, "reason": reason, "actor": actor,
            "topic": topic, "partition": partition, "offset": offset,
        }  # fmt: skip
        writes.events.append(_audited(live, subject, DISCARDED, told))
        await live.commit(writes, writes.rows(live.projection))
        return True

    return await retry_on_conflict(store, once)


async def retry(
    store: Store, subject: str, actor: str, keep: Collection[int] = frozenset()
) -> Outcome:
    """Apply a subject's queue in order, each record with the knowledge that stood before it.

    Stops at the first that still cannot be applied; what was applied before it stays applied.
    Rows to `keep` are not tried (a rebuild: they wait in the live tables).
    """

    async def once(live: Store) -> Outcome:
        (entry,) = await live.entries({subject: 0})
        queue = await live.queue(subject)
        drive = Redrive(live, entry, [row for row in queue if row.id not in keep])
        stuck = await drive.run()
        if stuck is not None and drive.failed:
            # The fold that failed left the state half changed: apply the good records again.
            (entry,) = await live.entries({subject: 0})
            drive = Redrive(live, entry, [row for row in queue if row.id in drive.writes.settled])
            await drive.run()
        writes = drive.writes
        left = [row for row in queue if row.id not in writes.settled]
        entry.parked = bool(left)
        if not entry.version or (queue and not writes.settled and stuck is None):
            return Outcome(0, len(left), GAP)
        if stuck is not None:
            writes.failed[stuck.row.id] = stuck.error
        writes.touched = [entry]
        told = {
            "subject": subject,
            "applied": len(writes.settled),
            "actor": actor,
            # Row ids are lost with the database; the coordinates of a record are not.
            "rows": [row.place for row in queue if row.id in writes.settled],
            "stuck": left[0].place if left else None,
        }
        writes.events.append(_audited(live, subject, RETRIED, told))
        await live.commit(writes, writes.rows(live.projection))
        reason = stuck.error if stuck is not None else GAP if left else None
        return Outcome(len(writes.settled), len(left), reason)

    return await retry_on_conflict(store, once)


def _audited(store: Store, subject: str, type_: str, told: dict[str, Any]) -> Event:
    group = f"{store.projection.name}@{store.projection.version}"
    return parked_of(store.projection.name), subject, f"{group}/{subject}", type_, canonical(told)
