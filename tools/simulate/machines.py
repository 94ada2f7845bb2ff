"""The logs of simulated machines: several firmwares, repetitions, broken lines, lost clocks."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from tools.simulate.calendar import Calendar
from tools.simulate.ordinary import Span, is_asked, shift_on
from tools.simulate.people import Person
from tools.simulate.punching import marks_on, seconds_of

DAY = timedelta(1)
DAY_SECONDS = 86_400
_REPEATS = 0.003  # Of a hundred lines, so many come twice.
_BY_PHONE = 0.02  # Days on which a person is elsewhere on duty, and checks in by phone.
_BY_HAND = 0.002  # Days that the office enters the next morning.
_STRANGER = "777"  # A PIN that nobody has.


class Silence(NamedTuple):
    """A span in which a machine records nothing. Units: seconds after the first midnight."""

    serial: str
    begins: int
    ends: int


class CheckIn(NamedTuple):
    """A row of check-ins.csv."""

    employee_id: str
    occurred_at: str
    received_at: str
    via: str


class Machine(NamedTuple):
    """A machine, who uses it, and what goes wrong with it; `number` chooses its firmware."""

    serial: str
    number: int
    staff: Sequence[Person]
    silences: Sequence[Silence]
    flawless: bool


class Days(NamedTuple):
    """The days of a simulation."""

    span: Span
    calendar: Calendar
    seed: int

    def text(self, second: int) -> tuple[str, str]:
        """Give date and time of day of a second after the first midnight."""
        day, rest = divmod(second, DAY_SECONDS)
        clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
        return (self.span[0] + day * DAY).isoformat(), clock


def log_of(machine: Machine, days: Days, elsewhere: Callable[[CheckIn], None]) -> Iterator[str]:
    """Give the lines of a machine's log, in its order; check-ins without it go `elsewhere`."""
    dice = Random(f"{days.seed}/{machine.serial}")  # noqa: S311  (a simulation, not a secret)
    write = _FIRMWARE[machine.number % len(_FIRMWARE)]
    yield from _oddities(machine, days, write)
    waiting: list[tuple[int, str]] = []
    begins, ends = days.span
    on = begins
    while on <= ends:
        midnight = (on - begins).days * DAY_SECONDS
        for person, pin in _present(machine, days, on):
            style = person.style_on(on)
            marks = marks_on(style, shift_on(person, begins, on) if style == "rs" else None, on)
            seconds = [midnight + second for second in seconds_of(person, marks, dice)]
            way = dice.random()
            if way < _BY_PHONE + _BY_HAND:
                via = "mobile" if way < _BY_PHONE else "manual"
                for second in seconds:
                    elsewhere(_without_machine(person, days, second, via))
            else:
                for second in seconds:
                    heapq.heappush(waiting, (second, pin))
        while waiting and waiting[0][0] < midnight + DAY_SECONDS:
            second, pin = heapq.heappop(waiting)
            if any(s.begins <= second <= s.ends for s in machine.silences):
                continue
            line = write(pin, *days.text(second))
            yield line
            if dice.random() < _REPEATS:
                yield line
        on += DAY


def _present(machine: Machine, days: Days, on: date) -> Iterator[tuple[Person, str]]:
    """Give who comes to the machine on a date, with the PIN used."""
    for person in machine.staff:
        posting = person.posting_on(on)
        if posting is None or posting.serial != machine.serial or on in person.absent:
            continue
        if is_asked(person, days.calendar, days.span[0], on):
            yield person, posting.pin


def _without_machine(person: Person, days: Days, second: int, via: str) -> CheckIn:
    day, clock = days.text(second)
    received = ""
    if via == "manual":
        next_day, _ = days.text(second - second % DAY_SECONDS + DAY_SECONDS)
        received = f"{next_day}T09:00:00"
    return CheckIn(person.employee_id, f"{day}T{clock}", received, via)


def _oddities(machine: Machine, days: Days, write: "Firmware") -> Iterator[str]:
    """Give what stands in some logs beside good punches."""
    first, _ = days.text(0)
    if machine.number == 0:  # Power was lost, and the clock with it.
        yield write("1", "2000-01-01", "00:03:19")
        yield write("2", "2000-01-01", "00:04:02")
    if machine.number == 1 and not machine.flawless:
        yield f"\t{first} 07:20:00\t255\t1\n"
        yield f"7\t{first[:5]}02-30 07:20:00\t0\t1\n"
        yield f"8\t{first}\t0\t1\n"
        yield "\n"
    if machine.number == 2:  # noqa: PLR2004  (the third machine)
        yield write(_STRANGER, first, "07:11:05")


Firmware = Callable[[str, str, str], str]


def _push(pin: str, day: str, clock: str) -> str:
    return f"{pin}\t{day} {clock}\t255\t15\t0\t0\t0\t0\t0\t0\t\r\n"


def _usb6(pin: str, day: str, clock: str) -> str:
    return f"{pin:>9}\t{day} {clock}\t1\t0\t1\t0\n"


def _short(pin: str, day: str, clock: str) -> str:
    return f"{pin}\t{day} {clock}\t0\t1\t0\t0\n"


def _named(pin: str, day: str, clock: str) -> str:
    return f"PIN={pin}\tDateTime={day} {clock}\tVerified=1\tStatus=0\n"


_FIRMWARE: tuple[Firmware, ...] = (_push, _usb6, _short, _named)
