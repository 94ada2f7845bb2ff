"""Saying in what two statements differ that should be one."""

from typing import Any

import msgspec


def difference(id_: str, name: str, said: bytes, again: bytes) -> str:
    """Name both statements and what they say differently, where they differ.

    `said` and `again` are canonical envelopes; personal values in them are ciphertext.
    """
    one, other = _flat(msgspec.json.decode(said)), _flat(msgspec.json.decode(again))
    differ = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
    parts = "; ".join(f"{key}: {_told(one, key)}, now {_told(other, key)}" for key in differ)
    return f"{id_} ({other['type']} of {other['subject']}) is {name} with other content: {parts}"


def _flat(envelope: dict[str, Any]) -> dict[str, Any]:
    """Bring the fields of `data` beside the attributes."""
    data = envelope.pop("data")
    return {**envelope, **{f"data.{key}": value for key, value in data.items()}}


def _told(envelope: dict[str, Any], key: str) -> str:
    return msgspec.json.encode(envelope[key]).decode()[:200] if key in envelope else "nothing"
