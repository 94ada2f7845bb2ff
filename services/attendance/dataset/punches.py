"""When a machine's punches become known, and to whom they belong (A8, A9, A13, A14)."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.attendance.dataset.attlog import AttLog
from services.attendance.dataset.rows import LateUpload, Pin
from shared.kernel.local_time import DAY, EPOCH_DAY, NEVER, LocalClock
from shared.kernel.pins import holder

NOBODY = -1
_ALWAYS = -(2**62)  # An instant before all others.


class Explained(NamedTuple):
    """A punch that a later PIN row resolves: index of the punch, and the row."""

    known_at: int
    punch: int
    pin: Pin


@dataclass
class Heard:
    """A machine's punches in the order in which they became known; repetitions are left out.

    `known_at` and `occurred_at` are instants; `who` are places in `people`, NOBODY where the PIN
    was not assigned when the punch became known. `place` is the punch's place in `log`.
    """

    log: AttLog
    clock: LocalClock
    known_at: "array[int]" = field(default_factory=lambda: array("q"))
    occurred_at: "array[int]" = field(default_factory=lambda: array("q"))
    place: "array[int]" = field(default_factory=lambda: array("i"))
    who: "array[int]" = field(default_factory=lambda: array("i"))
    people: list[str] = field(default_factory=list)
    explained: list[Explained] = field(default_factory=list)
    unresolved: dict[str, list[int]] = field(default_factory=dict)  # Lines, by PIN.
    received_before: list[tuple[LateUpload, int]] = field(default_factory=list)


def hear(log: AttLog, clock: LocalClock, late: Sequence[LateUpload], pins: Iterable[Pin]) -> Heard:
    """Compute when each punch of a machine became known, and to whom it belonged then.

    `late` and `pins` are the rows of this machine, in the order of their files.
    """
    heard = Heard(log, clock)
    occurred = array("q", map(clock.instant, log.local))
    known = _arrivals(heard, occurred, late) if late else occurred
    by_pin: dict[str, list[Pin]] = {}
    for row in pins:
        by_pin.setdefault(row.pin, []).append(row)
    owners = [_Owners(by_pin.get(pin, ())) for pin in log.pins]
    people: dict[str, int] = {}
    second, seen = _ALWAYS, set[tuple[int, int]]()
    for place in sorted(range(len(known)), key=known.__getitem__):
        at, pin, local = known[place], log.pin[place], log.local[place]
        if at != second:
            second, seen = at, set()
        if (pin, local) in seen:
            continue  # A repetition (A14).
        seen.add((pin, local))
        owner = owners[pin].at(local // DAY + EPOCH_DAY, at)
        if owner is None:
            who = NOBODY
            _wait(heard, owners[pin], len(heard.known_at), place, at)
        else:
            who = people.setdefault(owner, len(people))
        heard.known_at.append(at)
        heard.occurred_at.append(occurred[place])
        heard.place.append(place)
        heard.who.append(who)
    heard.people = list(people)
    return heard


def _arrivals(heard: Heard, occurred: "array[int]", late: Sequence[LateUpload]) -> "array[int]":
    """Give when each punch became known: of overlapping late uploads at the latest (A13)."""
    known, uploaded = array("q", occurred), bytearray(len(occurred))
    for row in late:
        before = 0
        for place, at in enumerate(occurred):
            if row.begins_at <= at <= row.ends_at:
                known[place] = max(known[place] if uploaded[place] else _ALWAYS, row.received_at)
                uploaded[place] = True
                before += row.received_at < at
        if before:
            heard.received_before.append((row, before))
    return known


def _wait(heard: Heard, owners: "_Owners", punch: int, place: int, at: int) -> None:
    """Let a punch without an owner wait for a later assignment (A8)."""
    on = heard.log.local[place] // DAY + EPOCH_DAY
    explained = owners.explain(on, at)
    if explained is None:
        lines = heard.unresolved.setdefault(heard.log.pins[heard.log.pin[place]], [])
        lines.append(heard.log.line[place])
    else:
        known_at, pin = explained
        heard.explained.append(Explained(known_at, punch, pin))


class _Owners:
    """The owners of a PIN by day, as known at an instant (A9)."""

    def __init__(self, rows: Iterable[Pin]) -> None:
        # In the order in which they became known: of rows that begin together the last counts.
        self._rows = sorted(map(_assignment, rows), key=lambda row: (row.known_at, row.pin.line))
        self._known = [row.known_at for row in self._rows]

    def at(self, day: int, instant: int) -> str | None:
        """Give the owner on a machine-local day, by the rows known at an instant."""
        row = self._holder(day, bisect_right(self._known, instant))
        return None if row is None else row.employee_id

    def explain(self, day: int, instant: int) -> tuple[int, Pin] | None:
        """Give when a later row gives the day an owner, and the row; None if none does."""
        first = bisect_right(self._known, instant)
        for count in range(first + 1, len(self._rows) + 1):
            if count < len(self._rows) and self._known[count] == self._known[count - 1]:
                continue  # Rows of one second are all known before it is asked.
            row = self._holder(day, count)
            if row is not None:
                return self._known[count - 1], row
        return None

    def _holder(self, day: int, count: int) -> Pin | None:
        """Give the row that holds on a day, by the first rows that became known."""
        held = holder(self._rows[:count], day)
        return None if held is None else held.pin


class _Assignment(NamedTuple):
    """A row of pins.csv with its dates as numbers. Units: an instant; `date.toordinal()`."""

    known_at: int
    begins: int
    ends: int
    pin: Pin


def _assignment(row: Pin) -> _Assignment:
    return _Assignment(
        _ALWAYS if row.recorded_at is None else row.recorded_at,
        row.valid_from.toordinal(),
        NEVER if row.valid_to is None else row.valid_to.toordinal(),
        row,
    )
