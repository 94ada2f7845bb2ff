"""Where two statements of one event differ first, in words."""

from typing import Any, NamedTuple

import msgspec

LONGEST = 80  # Characters of a value that are shown.
_ABSENT = object()


class Field(NamedTuple):
    """A field that differs. `path` as in `data.tier.level`, `data.dates[3]`; values as JSON."""

    path: str
    published: str
    concluded: str


def first_difference(published: bytes, concluded: bytes) -> Field | None:
    """Give the first field, in the order of canonical JSON, that is not the same in both.

    None: they say the same, in other bytes. Values of persons are ciphertext (design 3).
    """
    return _differ("", msgspec.json.decode(published), msgspec.json.decode(concluded))


def _differ(path: str, one: Any, other: Any) -> Field | None:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            where = f"{path}.{key}" if path else key
            found = _differ(where, one.get(key, _ABSENT), other.get(key, _ABSENT))
            if found is not None:
                return found
        return None
    if isinstance(one, list) and isinstance(other, list):
        for at in range(max(len(one), len(other))):
            found = _differ(f"{path}[{at}]", _at(one, at), _at(other, at))
            if found is not None:
                return found
        return None
    if type(one) is type(other) and one == other:
        return None
    return Field(path, _shown(one), _shown(other))


def _at(values: list[Any], at: int) -> Any:
    return values[at] if at < len(values) else _ABSENT


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
