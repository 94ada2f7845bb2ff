"""What a version of a fold would say otherwise, were it adopted now: tried, and not written."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from shared.errors import CannotRunError
from shared.events.envelope import Envelope
from shared.runtime.adoption import Adoption, Change
from shared.runtime.limits import Limits
from shared.runtime.processing.state import Partition, SubjectState
from shared.runtime.projection import Everybody, Projection
from shared.runtime.storage.event_sink import CollectedEvents
from shared.runtime.storage.store import PostgresStore
from shared.runtime.storage.table_sets import live_schema

SHOWN = 10
TOGETHER = 1_000  # Subjects read in one query.


@dataclass
class Trial:
    """What would change: `counts` by kind, the first changes, and who was left out as parked."""

    adopted: int
    version: int
    people: int = 0
    parked: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    first: list[Change] = field(default_factory=list)

    def take(self, changes: list[Change]) -> None:
        """Take what would change for one subject."""
        if changes:
            self.people += 1
            self.counts.update(change.kind for change in changes)
            self.first += changes[: SHOWN - len(self.first)]


async def tried(
    projection: Projection[Any, Any],
    adoption: Adoption,
    version: int,
    pool: asyncpg.Pool,
    limits: Limits | None = None,
) -> Trial:
    """Fold the fact that would be published over everybody as they stand, and write nothing.

    The service may go on meanwhile: each partition is read as it stands at its turn.
    Errors: CannotRunError if the version is not one that this code can adopt.
    """
    if version not in projection.fold_versions:
        can = " and ".join(map(str, projection.fold_versions))
        message = f"{projection.name}: this code can fold by version {can}, not by {version}"
        raise CannotRunError(message)
    async with pool.acquire() as connection:
        live = await live_schema(connection, projection.name)
    if live is None:
        message = f"{projection.name} has no live tables"
        raise CannotRunError(message)
    store = PostgresStore(pool, projection, live, CollectedEvents())
    bounds = limits or Limits()
    places = [(projection.topics[0], number) for number in range(bounds.partitions)]
    cursors = await store.cursors(places)
    last = max((cursor.broadcast for cursor in cursors), default=0)
    trial = Trial(adoption.version_of(await store.knowledge(last)), version)
    if version <= trial.adopted:
        message = f"{projection.name}: version {trial.adopted} of the fold is adopted already"
        raise CannotRunError(message)
    for cursor in cursors:
        (part,) = await store.partitions([cursor], bounds)
        await _partition(store, part, adoption, trial)
    return trial


async def _partition(
    store: PostgresStore, part: Partition, adoption: Adoption, trial: Trial
) -> None:
    projection, heard = store.projection, adoption.tried(trial.version, part.broadcast + 1)
    projection.learn(part.knowledge, heard)
    audience = projection.audience(part.knowledge, heard)
    names = [
        name for name in part.names if isinstance(audience, Everybody) or name in audience.subjects
    ]
    for begin in range(0, len(names), TOGETHER):
        some = dict.fromkeys(names[begin : begin + TOGETHER], part.number)
        for entry in await store.entries(some):
            if entry.parked:
                trial.parked += 1
            elif projection.concerns(entry.state, heard):
                trial.take(await _subject(store, part, adoption, entry, heard))


async def _subject(
    store: PostgresStore, part: Partition, adoption: Adoption, entry: SubjectState, heard: Envelope
) -> list[Change]:
    projection, state, knowledge = store.projection, entry.state, part.knowledge
    if (load := projection.reach(state, heard, knowledge)) is not None:
        projection.deepen(state, load, await store.older(load, entry.subject))
    return list(
        adoption.changes(state, lambda: projection.fold(state, heard, knowledge, entry.last_seq))
    )
