"""The golden files, and what it means to read one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shared.events.base import Fact
from shared.events.envelope import canonical
from shared.events.structs import decoder_of

FOLDER = Path(__file__).parent / "golden"
FILES = sorted(FOLDER.glob("*.json"))


def type_of(path: Path) -> str:
    """Give the type of a file: `<type>.json`, or `<type>+<what was added>.json`."""
    return path.stem.partition("+")[0]


def bytes_of(path: Path) -> bytes:
    """Give the value as it stood on the log; the file ends with a line end."""
    return path.read_bytes().removesuffix(b"\n")


def lost(kind: type[Fact], value: bytes) -> list[str]:
    """Say what today's reader of a type does not give back of a value that is on the log."""
    read = json.loads(canonical(decoder_of(kind).decode(value)))
    return list(_missing("", json.loads(value), read))


def _missing(path: str, said: Any, read: Any) -> Iterator[str]:
    if isinstance(said, dict) and isinstance(read, dict):
        for name, value in said.items():
            if name not in read:
                yield f"{path}.{name} is not read"
            else:
                yield from _missing(f"{path}.{name}", value, read[name])
    elif isinstance(said, list) and isinstance(read, list) and len(said) == len(read):
        for number, (one, other) in enumerate(zip(said, read, strict=True)):
            yield from _missing(f"{path}[{number}]", one, other)
    elif said != read or type(said) is not type(read):
        yield f"{path} is read as {read!r}"
