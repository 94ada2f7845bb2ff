"""Which record or event a log line is about: its coordinates, its id, and its chain of causes.

Often it is a record that cannot be decoded, so nothing here raises. Only what looks like an id is
taken over: a log must not quote other text that stands in the place of an id.
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
    """The attributes that are read; the rest, which may be personal, is not even decoded."""

    id: str
    causationid: str | None = None
    correlationid: str | None = None


class _Time(msgspec.Struct):
    recordedtime: datetime


_DECODE = msgspec.json.Decoder(_Ids).decode
_TIME = msgspec.json.Decoder(_Time).decode


def ids_of(value: bytes | None, headers: Iterable[tuple[str, bytes]] = ()) -> dict[str, str]:
    """Give the ids by which a record's chain of causes is found.

    Shapes: `event_id`, `causation_id` and `correlation_id`, as far as the record has them; of a
    record that cannot be decoded, `event_id` from its header. The id of the first record of a
    chain is the correlation id of all others (`stamping.caused_by`).
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
    """Give the `recordedtime` of a record; None if it has none, or one without an offset."""
    try:
        told = _TIME(value or b"").recordedtime
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return None if told.tzinfo is None else told


def _clean(**ids: str | None) -> dict[str, str]:
    return {name: id_ for name, id_ in ids.items() if id_ and _ID.fullmatch(id_)}
