"""Reads a device's own log (A15): which lines are punches, and which are bad rows."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.oracle.model import Source

PIN = re.compile(rb"[A-Za-z0-9]+")
TIME = re.compile(rb"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")


@dataclass(frozen=True)
class Punch:
    """One line of a device; `wall` is the device's local time."""

    source: Source
    serial: str
    pin: str
    wall: datetime


def read_punches(folder: Path, serials: set[str]) -> tuple[list[Punch], list[Source]]:
    """Read every `attlog/<serial>.dat`; each line of an unknown device is a bad row."""
    punches: list[Punch] = []
    bad: list[Source] = []
    for path in sorted((folder / "attlog").glob("*.dat")):
        for number, raw in enumerate(path.read_bytes().split(b"\n"), start=1):
            if not raw.strip():
                continue
            source = Source(f"attlog/{path.name}", number)
            try:
                pin, wall = read_line(raw)
            except ValueError:
                bad.append(source)
                continue
            if path.stem in serials:
                punches.append(Punch(source, path.stem, pin, wall))
            else:
                bad.append(source)
    return punches, bad


def read_line(raw: bytes) -> tuple[str, datetime]:
    """Give PIN and device time of a line in either form. Errors: ValueError."""
    fields = [part.strip() for part in raw.rstrip(b"\r").split(b"\t")]
    if b"=" in fields[0]:
        pairs = dict(part.split(b"=", 1) for part in fields if b"=" in part)
        pin, wall = pairs.get(b"PIN", b"").strip(), pairs.get(b"DateTime", b"").strip()
    else:
        pin, wall = fields[0], fields[1] if len(fields) > 1 else b""
    if not PIN.fullmatch(pin) or not TIME.fullmatch(wall):
        msg = f"no punch: {raw!r}"
        raise ValueError(msg)
    return pin.decode(), datetime.fromisoformat(wall.decode())
