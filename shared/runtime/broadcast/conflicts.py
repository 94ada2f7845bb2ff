"""Saying in what two statements differ that should be one."""

from typing import Any

import msgspec

from shared.events.catalogue import BY_TYPE
from shared.events.envelope import Envelope, canonical


def difference(id_: str, name: str, said: bytes, again: bytes) -> str:
    """Name both statements and what they say differently, where they differ.

    `said` and `again` are canonical envelopes; personal values in them are ciphertext.
    """
    one, other = _flat(msgspec.json.decode(said)), _flat(msgspec.json.decode(again))
    differ = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
    parts = "; ".join(f"{key}: {_told(one, key)}, now {_told(other, key)}" for key in differ)
    return f"{id_} ({other['type']} of {other['subject']}) is {name} with other content: {parts}"


def content_of(envelope: Envelope) -> bytes | None:
    """Give what a fact of the same id must say as well; None where the first simply stands.

    Clear fields and when it became known: ciphertext is judged by nobody (design 2), and who
    tells it, and how it is wrapped, may change. The result reads like a canonical envelope.
    """
    kind = BY_TYPE.get(envelope.type)
    if kind is None or not kind.NAMED:
        return None
    said = msgspec.json.decode(canonical(envelope))
    kept: dict[str, Any] = {key: said[key] for key in ("recordedtime", "subject", "type")}
    kept["data"] = {key: value for key, value in said["data"].items() if not _is_sealed(value)}
    return msgspec.json.encode(kept, order="sorted")


def _is_sealed(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == {"kid", "ct"}


def _flat(envelope: dict[str, Any]) -> dict[str, Any]:
    """Bring the fields of `data` beside the attributes."""
    data = envelope.pop("data")
    return {**envelope, **{f"data.{key}": value for key, value in data.items()}}


def _told(envelope: dict[str, Any], key: str) -> str:
    return msgspec.json.encode(envelope[key]).decode()[:200] if key in envelope else "nothing"
