"""The log of a fingerprint machine, as its USB stick brings it (semantics A15, A16).

Millions of lines: columns of plain numbers, no object for each punch. Of the columns behind the
time the first two are kept as evidence. Some machines write their own number before them (`usb6`),
which cannot be seen in a line; no rule depends on either.
"""

import re
from array import array
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from services.attendance.dataset.csvfile import BYTE_ORDER_MARK
from services.attendance.dataset.findings import Findings
from services.attendance.dataset.times import FIRST_YEAR, LAST_YEAR
from shared.kernel.local_time import DAY, EPOCH_DAY

MOST_FINDINGS = 1_000  # For each file; one further finding stands for the rest.
_PIN = re.compile(rb"[A-Za-z0-9]+")
_DATE = re.compile(rb"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(rb"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)")
Evidence = tuple[str | None, str | None]  # Status and verify, as they come.


@dataclass
class AttLog:
    """The punches of one machine, in the order of the file.

    `local` is the time on the machine's clock, `pin` and `evidence` are places in `pins` and
    `evidences`, `line` counts from 1.
    """

    serial: str
    file: str
    pins: list[str] = field(default_factory=list)
    evidences: list[Evidence] = field(default_factory=list)
    local: "array[int]" = field(default_factory=lambda: array("q"))
    line: "array[int]" = field(default_factory=lambda: array("i"))
    pin: "array[int]" = field(default_factory=lambda: array("i"))
    evidence: "array[int]" = field(default_factory=lambda: array("i"))


def read_attlog(path: Path, findings: Findings, *, known: bool) -> AttLog:
    """Read `attlog/<serial>.dat`; of a machine that is not `known` every line is bad."""
    log = AttLog(path.stem, f"attlog/{path.name}")
    reader = _Reader(log, findings)
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, start=1):
            line = raw.removeprefix(BYTE_ORDER_MARK) if number == 1 else raw
            if not line.strip():
                continue
            if not known:
                reader.bad(number, "serial", log.serial, "unknown", what="device")
            elif not reader.take(number, line):
                shown = line.rstrip(b"\r\n").decode(errors="replace")
                reader.bad(number, "", shown, "bad_device_line")
    reader.close()
    return log


class _Reader:
    """Reads lines; dates, times of day and PINs repeat, so each is parsed once."""

    def __init__(self, log: AttLog, findings: Findings) -> None:
        self._log = log
        self._findings = findings
        self._midnights: dict[bytes, int | None] = {}
        self._seconds: dict[bytes, int | None] = {}
        self._pins: dict[bytes, int | None] = {}
        self._by_pin: dict[str, int] = {}
        self._evidence: dict[Evidence, int] = {}
        self._bad = self._last_bad = 0

    def take(self, number: int, line: bytes) -> bool:
        """Take one line that is not blank; False if it cannot be read."""
        fields = line.split(b"\t")
        if b"=" in fields[0]:
            found = _named(fields)
        elif len(fields) > 1:
            status, verify = [*fields[2:4], b"", b""][:2]
            found = fields[0], fields[1], status, verify
        else:
            return False
        pin, raw_time, status, verify = found
        time = raw_time.strip()
        midnight = self._midnight(time[:10])
        second = self._second(time[11:])
        place = self._pin(pin)
        if midnight is None or second is None or place is None or time[10:11] != b" ":
            return False
        log = self._log
        log.local.append(midnight + second)
        log.line.append(number)
        log.pin.append(place)
        log.evidence.append(self._evidence_of(status, verify))
        return True

    def bad(self, number: int, name: str, value: str, code: str, **details: str) -> None:
        """Note a bad line, up to a limit."""
        self._bad += 1
        if self._bad <= MOST_FINDINGS:
            self._findings.error((self._log.file, number), name, value, code, **details)
        self._last_bad = number

    def close(self) -> None:
        """Say how many bad lines were not noted."""
        if self._bad > MOST_FINDINGS:
            count = str(self._bad - MOST_FINDINGS)
            self._findings.error(
                (self._log.file, self._last_bad), "", "", "more_lines", count=count
            )

    def _midnight(self, text: bytes) -> int | None:
        if text not in self._midnights:
            self._midnights[text] = _midnight_of(text)
        return self._midnights[text]

    def _second(self, text: bytes) -> int | None:
        if text not in self._seconds:
            match = _TIME.fullmatch(text)
            self._seconds[text] = (
                int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3]) if match else None
            )
        return self._seconds[text]

    def _pin(self, raw: bytes) -> int | None:
        if raw not in self._pins:
            pin = raw.strip()
            place = None
            if _PIN.fullmatch(pin):
                place = self._by_pin.setdefault(pin.decode(), len(self._log.pins))
                if place == len(self._log.pins):
                    self._log.pins.append(pin.decode())
            self._pins[raw] = place
        return self._pins[raw]

    def _evidence_of(self, status: bytes, verify: bytes) -> int:
        evidence = _kept(status), _kept(verify)
        place = self._evidence.setdefault(evidence, len(self._log.evidences))
        if place == len(self._log.evidences):
            self._log.evidences.append(evidence)
        return place


def _named(fields: list[bytes]) -> tuple[bytes, bytes, bytes, bytes]:
    """Find PIN and time among `KEY=value` fields; of a key given twice the first counts."""
    values: dict[bytes, bytes] = {}
    for name, _, value in (each.partition(b"=") for each in fields):
        values.setdefault(name.strip().lower(), value)
    verify = values.get(b"verify", values.get(b"verified", b""))
    return (
        values.get(b"pin", b""),
        values.get(b"datetime", b""),
        values.get(b"status", b""),
        verify,
    )


def _midnight_of(text: bytes) -> int | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text.decode())
    except ValueError:
        return None
    return (day.toordinal() - EPOCH_DAY) * DAY if FIRST_YEAR <= day.year <= LAST_YEAR else None


def _kept(value: bytes) -> str | None:
    """Keep evidence as text that can be stored; blank is nothing."""
    return value.strip().decode(errors="replace").replace("\0", "�") or None
