"""Records as a fold reads them, whatever client brought them."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record as a fold reads it: the attributes of aiokafka's."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: Any
    headers: Sequence[tuple[str, bytes]]


class Head(msgspec.Struct):
    """The attributes of a published event that order it in its stream; the rest is not decoded."""

    id: str
    subject: str
    type: str
    subjectseq: int = 0
    causationid: str = ""


head_of = msgspec.json.Decoder(Head).decode


def id_of(record: Record) -> str:
    """Give the id in a record's headers; "" if there is none."""
    for name, value in record.headers:
        if name == "ce_id":
            return value.decode("utf-8", "replace")
    return ""


def tail_of(record: Any) -> bytes:
    """Give the hash by which a record is recognised."""
    return hashlib.sha256((record.key or b"") + b"\0" + (record.value or b"")).digest()[:8]
