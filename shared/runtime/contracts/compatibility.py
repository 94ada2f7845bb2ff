"""What a change of a schema would break: records that are on the log already, and their readers.

Fields are only ever added, with a default; anything else is a new type (design 3). A new value of
an enumeration is allowed: a reader that does not know it yet parks the subject, and logs it.
"""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

# What these say is for people, or is compared apart.
_SAID_ELSEWHERE = {"$schema", "$id", "title", "description", "default"}
_COMPARED_BELOW = {"properties", "required", "enum", "anyOf", "items", "additionalProperties"}
_NO_DEFAULT = object()


def breaks(old: Schema, new: Schema) -> list[str]:
    """Name what the new form of a schema breaks of the old one; empty: it may be published.

    Shapes: JSON Schemas of one type as `contracts` writes them, `$defs` included.
    """
    return list(_object("data", _inlined(old, old), _inlined(new, new)))


def _inlined(part: Any, whole: Schema) -> Any:
    """Replace references by their definitions. No model of ours contains itself."""
    if isinstance(part, list):
        return [_inlined(one, whole) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        target = whole["$defs"][part["$ref"].removeprefix("#/$defs/")]
        part = target | {key: value for key, value in part.items() if key != "$ref"}
    if "const" in part:  # An enumeration of one.
        part = {key: value for key, value in part.items() if key != "const"} | {
            "enum": [part["const"]]
        }
    return {key: _inlined(value, whole) for key, value in part.items() if key != "$defs"}


def _object(path: str, old: Schema, new: Schema) -> Iterator[str]:
    """Compare the fields of two objects."""
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in sorted(before.keys() - after.keys()):
        yield f"{path}.{name}: removed or renamed"
    for name in sorted(before.keys() & after.keys()):
        yield from _field(f"{path}.{name}", before[name], after[name])
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield f"{path}.{name}: " + ("made required" if name in before else "added as required")


def _field(path: str, old: Schema, new: Schema) -> Iterator[str]:
    if old.get("default", _NO_DEFAULT) != new.get("default", _NO_DEFAULT) and "default" in old:
        yield f"{path}: another default, or none"
    yield from _type(path, old, new)


def _type(path: str, old: Schema, new: Schema) -> Iterator[str]:
    ignored = _SAID_ELSEWHERE | _COMPARED_BELOW
    if {k: v for k, v in old.items() if k not in ignored} != {
        k: v for k, v in new.items() if k not in ignored
    }:
        yield f"{path}: retyped"
        return
    yield from _object(path, old, new)
    yield from _enumeration(path, old.get("enum"), new.get("enum"))
    yield from _parts(path, old.get("anyOf", []), new.get("anyOf", []))
    for key in ("items", "additionalProperties"):
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _type(f"{path}[]", before, after)
        elif before != after:
            yield f"{path}: retyped"


def _enumeration(path: str, old: list[Any] | None, new: list[Any] | None) -> Iterator[str]:
    if (old is None) != (new is None):
        yield f"{path}: retyped"
    elif old is not None and new is not None and (gone := [v for v in old if v not in new]):
        yield f"{path}: values removed: {', '.join(map(str, gone))}"


def _parts(path: str, old: list[Schema], new: list[Schema]) -> Iterator[str]:
    if len(old) != len(new):
        yield f"{path}: retyped"
        return
    for before, after in zip(old, new, strict=True):
        yield from _type(path, before, after)
