"""Which record or event a line of the log is about: its place, its id, and the chain it is in.

The records asked about are often those that cannot be read, so nothing here raises, and nothing is
taken over that does not look like an id: a log must not quote what somebody put in its place.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from shared.runtime.positions import TopicPartition

# UUIDs, `/source/subject@7`, and what names a person or a device in them. No blanks, no prose.
_ID = re.compile(r"[\w./:@-]{1,200}", re.ASCII)


class _Ids(msgspec.Struct):
    """What is read of an envelope; the rest, which may be personal, is not even decoded."""

    id: str
    causationid: str | None = None
    correlationid: str | None = None


class _Time(msgspec.Struct):
    recordedtime: datetime


_DECODE = msgspec.json.Decoder(_Ids).decode
_TIME = msgspec.json.Decoder(_Time).decode


def ids_of(value: bytes | None, headers: Iterable[tuple[str, bytes]] = ()) -> dict[str, str]:
    """Give the ids by which a record's chain is found.

    Shapes: those of `event_id`, `causation_id` and `correlation_id` that it tells; of a record
    that cannot be decoded, `event_id` as its header has it. Who begins a chain is what its
    followers name as their correlation (`writes.caused_by`).
    """
    try:
        told = _DECODE(value or b"")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        name = next((value for name, value in headers if name == "ce_id"), b"")
        return _clean(event_id=name.decode("utf-8", "replace"))
    return _clean(
        event_id=told.id,
        causation_id=told.causationid,
        correlation_id=told.correlationid or told.id,
    )


def place_of(place: TopicPartition, offset: int | None = None) -> dict[str, Any]:
    """Give the fields that name a partition, and a record on it."""
    where: dict[str, Any] = {"topic": place[0], "partition": place[1]}
    return where if offset is None else {**where, "offset": offset}


def of_record(record: Any) -> dict[str, Any]:
    """Give the fields that name a record of a consumer."""
    where = place_of((record.topic, record.partition), record.offset)
    return {**where, **ids_of(record.value, record.headers)}


def told_at(value: bytes | None) -> datetime | None:
    """Give the `recordedtime` of a record; None if it does not tell an aware one."""
    try:
        told = _TIME(value or b"").recordedtime
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return None if told.tzinfo is None else told


def _clean(**ids: str | None) -> dict[str, str]:
    return {name: id_ for name, id_ in ids.items() if id_ and _ID.fullmatch(id_)}
