"""What a backfill would give: the planned facts through the stages of all services, in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from shared import plugins
from shared.events.catalogue import BY_TYPE
from shared.events.envelope import Envelope
from shared.runtime.processing.in_memory import Stage
from shared.runtime.projection import Row

Tables = Mapping[str, tuple[Sequence[str], Iterable[Row]]]


def stages() -> tuple[list[Stage], dict[str, str]]:
    """Give a fresh stage of every service that brings one (entry points `tertib.preview`).

    And, by name, why a service that is installed gave none: the others go on without it.
    """
    given = plugins.brought("tertib.preview", lambda stage: stage())
    return [*given.found.values()], given.broken


def preview(facts: Iterable[Envelope], through: Sequence[Stage]) -> Tables:
    """Give every stage the facts and the events of other stages; give all their tables."""
    hearing: dict[str, list[Stage]] = {}
    for stage in through:
        for topic in stage.topics:
            hearing.setdefault(topic, []).append(stage)
    for fact in facts:
        for _ in _spread(fact, hearing):
            pass
    return {name: table for stage in through for name, table in stage.tables().items()}


def _spread(envelope: Envelope, hearing: Mapping[str, Sequence[Stage]]) -> Iterator[Envelope]:
    """Give an envelope to its stages, then everything that follows from it, in order."""
    for stage in hearing.get(BY_TYPE[envelope.type].TOPIC, ()):
        for told in stage.hear(envelope):
            yield told
            yield from _spread(told, hearing)
