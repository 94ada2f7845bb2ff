"""What an event takes over from its cause, and how it gets its number and its envelope."""

from functools import cache
from typing import Any, NamedTuple

from shared.events import envelope
from shared.events.base import Fact, NewEvent
from shared.events.envelope import Envelope, canonical_event, event_id
from shared.runtime.processing.state import SubjectState
from shared.runtime.projection import Projection

Event = tuple[str, str, str, str, bytes]  # Topic, key, id, type, the canonical bytes.


def source_of(projection: Projection[Any, Any]) -> str:
    """Give the `source` of what a projection tells: its service."""
    return envelope.source_of(projection.service)


class Times(NamedTuple):
    """What an event takes over from its cause; times are ISO 8601 with offset."""

    time: str
    recordedtime: str
    causationid: str | None = None
    correlationid: str | None = None
    actor: str | None = None


def caused_by(heard: Envelope) -> Times:
    """Give what a derived event takes over from its cause; it has no clock (design 3)."""
    when = heard.recordedtime
    return Times(when, when, heard.id, heard.correlationid or heard.id)


@cache
def _words_of(kind: type[Fact]) -> tuple[str, str]:
    return kind.TOPIC, kind.type_name()


def stamp(told: NewEvent, source: str, entry: SubjectState, cause: Times) -> Event:
    """Give the next event of a subject its number and its envelope."""
    number = entry.last_seq = entry.last_seq + 1
    subject, (time, recorded, causation, correlation, actor) = entry.subject, cause
    id_ = event_id(source, subject, number)
    topic, type_ = _words_of(told.kind)
    value = canonical_event(
        Envelope(
            actor=actor,
            causationid=causation,
            correlationid=correlation or causation,
            data=told.data,
            id=id_,
            recordedtime=recorded,
            regency=told.regency,
            source=source,
            subject=subject,
            subjectseq=number,
            time=time,
            type=type_,
        )
    )
    return topic, subject, id_, type_, value
