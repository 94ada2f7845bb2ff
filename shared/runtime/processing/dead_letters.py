"""What the parked topic of a projection is told of a record that could not be applied."""

from collections.abc import Iterable
from typing import Any

from shared.runtime.kafka.headers import headers_text
from shared.runtime.kafka.topics import parked_of
from shared.runtime.processing.write_batch import Parked

PARKED = "tertib.runtime.RecordParked.v1"


def dead_letter_events(projection: str, parked: Iterable[Parked]) -> list[tuple[Any, ...]]:
    """Give what the parked topic is told: the original bytes, and the rest as headers."""
    topic = parked_of(projection)
    return [
        (
            topic,
            p.subject,
            f"{p.topic}/{p.partition}/{p.offset}",
            PARKED,
            p.value or b"",
            headers_text(_story(p)),
        )
        for p in parked
        if p.reference is None
    ]


def _story(parked: Parked) -> list[tuple[str, bytes]]:
    facts = {
        "parked_topic": parked.topic,
        "parked_partition": parked.partition,
        "parked_offset": parked.offset,
        "parked_broadcast": parked.broadcast,
        "parked_reason": parked.reason,
        "parked_error": parked.error,
        "parked_null": parked.value is None,
    }
    original = [(f"original_{name}", value or b"") for name, value in parked.headers]
    return [*((name, str(fact).encode()) for name, fact in facts.items()), *original]
