"""The CloudEvents 1.0 envelope, its canonical bytes, and the ids that follow from content.

An envelope is one JSON object whose bytes are the whole fact (design 3): keys sorted, no blanks,
UTF-8, attributes that are absent left out. Equal content gives equal bytes on every machine, which
is what lets a replay be compared with what was published, byte by byte.
"""

import uuid
from typing import Any

import msgspec

CONTENT_TYPE = "application/cloudevents+json"
TYPE_HEADER = "ce_type"
NAMESPACE = uuid.UUID("6f2b9c1e-3a54-5d0e-9a77-7465727469b1")  # Tertib's own; never changed.

_ENCODER = msgspec.json.Encoder(order="sorted")
_IN_ORDER = msgspec.json.Encoder(order="deterministic")  # Sorts mappings, and leaves structs.


class Envelope(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """One fact or event as it stands on the log; `data` is a model of `shared.events` as a struct.

    Units: `time` and `recordedtime` are ISO 8601 with offset, whole seconds. For facts and told
    events: when it happened, and when Tertib learned of it; for derived events both are the
    `recordedtime` of what caused them, never the wall clock.
    """

    actor: str | None = None
    broadcastseq: int | None = None
    causationid: str | None = None
    correlationid: str | None = None
    data: Any
    datacontenttype: str = msgspec.field(default_factory=lambda: "application/json")
    id: str
    recordedtime: str
    regency: str
    source: str
    specversion: str = msgspec.field(default_factory=lambda: "1.0")
    subject: str
    subjectseq: int | None = None
    time: str
    type: str


def canonical(value: object) -> bytes:
    """Give the canonical JSON bytes of plain data, a struct or an envelope.

    Equal to RFC 8785 for what Tertib writes: strings, whole numbers below 2^53, booleans, null,
    lists and objects (checked by a test). Errors: TypeError for anything else.
    """
    return _ENCODER.encode(value)


def canonical_event(envelope: Envelope) -> bytes:
    """Give the canonical bytes of an `Envelope` itself, with a struct of `shared.events.structs`.

    The same bytes as `canonical` (checked by a test), in two thirds of its time: the fields of
    both structs are declared in sorted order, so nothing is sorted.
    """
    return _IN_ORDER.encode(envelope)


def fact_id(kind: str, *parts: str | int | None) -> str:
    """Give the UUIDv5 of a fact's natural key (semantics A14): its kind, then the parts.

    Never pass a personal value: an id outlives the person's key.
    """
    return str(uuid.uuid5(NAMESPACE, canonical([kind, *parts]).decode()))


def source_of(service: str) -> str:
    """Give the CloudEvents `source` of what a service says."""
    return f"/{service}"


def event_id(source: str, subject: str, subjectseq: int) -> str:
    """Give a derived or told event's id: the same log gives the same ids."""
    return f"{source}/{subject}@{subjectseq}"


def headers_of(type_: str, id_: str) -> list[tuple[str, bytes]]:
    """Give the record headers, by which a reader skips without decoding; the type first."""
    return [
        (TYPE_HEADER, type_.encode()),
        ("ce_id", id_.encode()),
        ("content-type", CONTENT_TYPE.encode()),
    ]
