"""Messages that say in what two facts with one id differ."""

from typing import Any

import msgspec
from msgspec.structs import replace

from shared.events.catalogue import BY_TYPE
from shared.events.envelope import Envelope, canonical


class ConflictingBroadcastError(Exception):
    """A broadcast's id is known with other data; the message names both, and nothing was sent."""


class ConflictingFactError(Exception):
    """A fact's id is known with other clear content; the message names both."""


BESIDE = "another one beside it"


def of_two(first: Envelope, second: Envelope) -> str | None:
    """Say in what two facts of one id differ that are published together; None: they are equal."""
    content = content_of(first)
    if content is not None:
        return of_facts(BESIDE, content, second)
    return of_broadcasts(BESIDE, canonical(first), second, None)


def of_broadcasts(name: str, known: bytes, envelope: Envelope, number: int | None) -> str | None:
    """Say in what a broadcast differs from the one of its id; None: it says the same.

    When it became known is no part of it: that of what comes late is its arrival (A13).
    """
    again = canonical(replace(envelope, broadcastseq=number))
    if again == known or _without_arrival(again) == _without_arrival(known):
        return None
    return difference(envelope.id, name, known, again)


def of_facts(name: str, known: bytes | None, envelope: Envelope) -> str | None:
    """Say in what a keyed fact contradicts what was kept of one; None: it does not."""
    again = content_of(envelope)
    if known is None or again is None or again == known:
        return None
    return difference(envelope.id, name, known, again)


def difference(id_: str, name: str, said: bytes, again: bytes) -> str:
    """Name both facts and the fields in which they differ.

    `said` and `again` are canonical envelopes; personal values in them are ciphertext.
    """
    one, other = _flat(msgspec.json.decode(said)), _flat(msgspec.json.decode(again))
    differ = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
    parts = "; ".join(f"{key}: {_told(one, key)}, now {_told(other, key)}" for key in differ)
    return f"{id_} ({other['type']} of {other['subject']}) is {name} with other content: {parts}"


def content_of(envelope: Envelope) -> bytes | None:
    """Give the content that a fact of the same id must repeat; None where the first one stands.

    Clear fields and its time. Ciphertext is not compared (design 2), and the time of arrival
    (A13), the actor and the envelope may differ. The result looks like a canonical envelope.
    """
    kind = BY_TYPE.get(envelope.type)
    if kind is None or not kind.NAMED:
        return None
    said = msgspec.json.decode(canonical(envelope))
    kept: dict[str, Any] = {key: said[key] for key in ("subject", "time", "type")}
    kept["data"] = {key: value for key, value in said["data"].items() if not _is_sealed(value)}
    return msgspec.json.encode(kept, order="sorted")


def _without_arrival(value: bytes) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.json.decode(value)
    del said["recordedtime"]
    return said


def _is_sealed(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == {"kid", "ct"}


def _flat(envelope: dict[str, Any]) -> dict[str, Any]:
    """Bring the fields of `data` beside the attributes."""
    data = envelope.pop("data")
    return {**envelope, **{f"data.{key}": value for key, value in data.items()}}


def _told(envelope: dict[str, Any], key: str) -> str:
    return msgspec.json.encode(envelope[key]).decode()[:200] if key in envelope else "nothing"
