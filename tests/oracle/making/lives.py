"""Employees of a random dataset: dated histories, PINs, and rosters of shifts."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from tests.oracle.making.draft import Draft, some, stamp
from tests.oracle.making.places import Places

CLASSES = ("PNS", "PNS", "PNS", "CPNS", "CPNS", "PPPK", "PPPK_PARUH_WAKTU", "PTT")
LEVELS = ("PELAKSANA", "PENGAWAS", "ADMINISTRATOR", "JF_AHLI_MUDA", "JF_KETERAMPILAN")
SHIFTS = ("pagi", "sore", "malam", "malam", "panjang", "bebas")
LONG_AGO = date(2020, 1, 1)


@dataclass
class Life:
    """One employee as the maker of the dataset means it, whatever is known when."""

    name: str
    nip: str
    number: int
    absent: float
    stages: list[tuple[date, str, str, str, str]] = field(default_factory=list)
    shifts: dict[date, str] = field(default_factory=dict)
    pins: list[tuple[str, str]] = field(default_factory=list)
    leaves: date | None = None

    def stage(self, day: date) -> tuple[str, str, str, str] | None:
        """Give regency, unit, class and own schedule on a day."""
        begun = [one for one in self.stages if one[0] <= day]
        return max(begun)[1:] if begun else None


def make_lives(draft: Draft, places: Places, people: int) -> list[Life]:
    lives: list[Life] = []
    taken: set[tuple[str, str]] = set()
    for number in range(people):
        dice = draft.dice(f"life {number}")
        life = Life(
            f"P{number:02}",
            f"19{70 + number % 30}0{1 + number % 9}1520100{1 + number % 9}1{number % 1000:03}",
            number,
            dice.choice([0.03, 0.1, 0.3, 0.3, 0.6, 0.9]),
        )
        make_history(draft, places, dice, life)
        make_pins(draft, places, draft.dice(f"pins {number}"), life, taken)
        make_shifts(draft, places, draft.dice(f"shifts {number}"), life)
        lives.append(life)
    if draft.wants("pins"):
        reassign_pins(draft, lives)
    return lives


def make_history(draft: Draft, places: Places, dice: Random, life: Life) -> None:
    """Write one line, and further ones for what changes, some of them recorded late."""
    codes = list(places.zones)
    code = codes[life.number] if life.number < len(codes) else dice.choice(codes)
    begins = LONG_AGO
    recorded = f"{draft.start.isoformat()}T00:30:00"
    if life.number >= len(codes) and draft.wants("joins") and some(dice, 0.3):
        begins = draft.day(dice, -5, -8)
        recorded = stamp(dice, begins + timedelta(days=dice.choice([-2, 0, 3, 12])))
        if recorded[:10] < draft.start.isoformat():
            recorded = f"{draft.start.isoformat()}T00:30:00"
    unit = dice.choice(places.units[code])
    kind = dice.choice(CLASSES) if draft.wants("classes") else "PNS"
    ends = None
    if draft.wants("leaves") and some(dice, 0.15):
        ends = life.leaves = draft.day(dice, 10, -2)
        if ends < begins:
            ends = life.leaves = None
    add_line(draft, life, (begins, code, unit, kind, ""), ends, recorded)
    changes = dice.choice([0, 0, 1, 1, 2, 3]) if draft.wants("moves") else 0
    for _ in range(changes):
        code, unit, kind = change(draft, places, dice, (code, unit, kind))
        begins = draft.day(dice, 2, -3) if not some(dice, 0.15) else begins
        told = begins + timedelta(days=dice.choice([-3, 0, 0, 4, 15, 25]))
        if begins < draft.start:  # A correction of the line before, from its very beginning.
            told = draft.day(dice, 1, -5)
        told = max(told, draft.start)
        own = dice.choice(["", "", "kantor", f"enam-{code}", "malam", f"enam-{codes[0]}"])
        ends = draft.day(dice, 15) if draft.wants("leaves") and some(dice, 0.15) else None
        if ends is not None and ends < begins:
            ends = None
        life.leaves = None if ends is None else ends
        recorded = stamp(dice, told, places.zones[code])
        if recorded[:10] == draft.start.isoformat():
            recorded = f"{draft.start.isoformat()}T20:00:00"
        add_line(draft, life, (begins, code, unit, kind, own), ends, recorded)


def add_line(
    draft: Draft,
    life: Life,
    stage: tuple[date, str, str, str, str],
    ends: date | None,
    recorded: str,
) -> None:
    begins, code, unit, kind, own = stage
    life.stages.append(stage)
    cells = [life.name, life.nip, f"Pegawai {life.number}", code, unit, kind]
    level = LEVELS[life.number % len(LEVELS)]
    draft.add("employees.csv", *cells, level, None, own, begins, ends, recorded)


def change(
    draft: Draft, places: Places, dice: Random, now: tuple[str, str, str]
) -> tuple[str, str, str]:
    """Change unit, class or regency."""
    code, unit, kind = now
    what = dice.choice(["unit", "class", "regency"])
    if kind == "CPNS" and some(dice, 0.5):
        what = "class"
    if what == "class" and draft.wants("classes"):
        kind = "PNS" if kind == "CPNS" else dice.choice(CLASSES)
    elif what == "regency" and draft.wants("regencies"):
        code = dice.choice(list(places.zones))
        unit = dice.choice(places.units[code])
    else:
        unit = dice.choice(places.units[code])
    return code, unit, kind


def make_pins(
    draft: Draft, places: Places, dice: Random, life: Life, taken: set[tuple[str, str]]
) -> None:
    """Give a PIN on one or two devices of each regency; some rows become known late."""
    for code in dict.fromkeys(stage[1] for stage in life.stages):
        devices = places.devices[code] if some(dice, 0.4) else [dice.choice(places.devices[code])]
        for serial in devices:
            pin = f"{life.number:03}"
            if draft.wants("pins"):
                pin = dice.choice([pin, f"A{life.number}", "1", "01", str(life.number % 4)])
            if (serial, pin) in taken:
                pin = f"{life.number:03}"
            taken.add((serial, pin))
            life.pins.append((serial, pin))
            cells = [serial, pin, life.name, LONG_AGO.isoformat(), ""]
            if draft.wants("late pins") and some(dice, 0.3):
                cells.append(stamp(dice, draft.day(dice, 1), places.device_zones[serial]))
            draft.add("pins.csv", *cells)


def reassign_pins(draft: Draft, lives: list[Life]) -> None:
    """Hand some PINs over by date, for a while or for good, known in time or not."""
    dice = draft.dice("reassign")
    begun: set[tuple[str, str, date]] = set()
    for life in lives:
        if not life.pins or not some(dice, 0.25):
            continue
        serial, pin = dice.choice(life.pins)
        heir = dice.choice(lives)
        begins = draft.day(dice, 3, -5)
        if (serial, pin, begins) in begun:  # Which of two that begin together holds is a reading.
            continue
        begun.add((serial, pin, begins))
        ends = begins + timedelta(days=dice.randint(0, 12)) if some(dice, 0.5) else None
        cells = [serial, pin, heir.name, begins.isoformat(), ends.isoformat() if ends else ""]
        if draft.wants("late pins") and some(dice, 0.5):
            cells.append(stamp(dice, begins + timedelta(days=dice.randint(-2, 9))))
        draft.add("pins.csv", *cells)
        if (serial, pin) not in heir.pins:
            heir.pins.append((serial, pin))


def make_shifts(draft: Draft, places: Places, dice: Random, life: Life) -> None:
    """Write a roster for who works in shifts, told week by week and corrected later."""
    works = any(places.unit_schedules[stage[2]] == "jaga" for stage in life.stages)
    if not draft.wants("shifts") or not (works or some(dice, 0.1)):
        return
    share = 0.8 if works else 0.1
    for offset in range(draft.days):
        day = draft.start + timedelta(days=offset)
        if not some(dice, share):
            continue
        told = day - timedelta(days=offset % 7 + 1)
        for attempt in range(dice.choice([1, 1, 1, 1, 2, 3])):
            schedule = "" if some(dice, 0.1) else dice.choice(SHIFTS)
            if attempt:
                told = day + timedelta(days=dice.randint(-3, 8))
            life.shifts[day] = schedule
            draft.add("shifts.csv", life.name, day, schedule, stamp(dice, told))
