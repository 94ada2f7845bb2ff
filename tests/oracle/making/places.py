"""Regencies, units, devices, schedules and rule sets of a random dataset."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Protocol

from tests.oracle.making.draft import Draft, some, stamp

REGENCIES = (
    ("17.06", "Kabupaten Mukomuko", "17", "Asia/Jakarta"),
    ("17.07", "Kabupaten Lebong", "17", "Asia/Jakarta"),
    ("53.01", "Kabupaten Kupang", "53", "Asia/Makassar"),
    ("53.71", "Kota Kupang", "53", "Asia/Makassar"),
    ("91.03", "Kabupaten Jayapura", "91", "Asia/Jayapura"),
)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONG_AGO = date(2024, 1, 1)
Points = list[tuple[str, str, str, str, str, str]]

IN_OUT: Points = [
    ("masuk", "06:30", "07:30", "09:00", "presence", "in"),
    ("pulang", "15:00", "16:00", "19:00", "presence", "out"),
]
RAMADAN: Points = [
    ("masuk", "07:00", "08:00", "09:30", "presence", "in"),
    ("pulang", "14:00", "15:00", "17:00", "presence", "out"),
]
FOUR: Points = [
    ("masuk", "07:00", "08:00", "08:15", "presence", "in"),
    ("pagi", "10:00", "10:00", "10:15", "presence", "any"),
    ("siang", "13:00", "13:00", "13:15", "presence", "in"),
    ("pulang", "16:00", "16:00", "18:00", "presence", "out"),
]
APEL: Points = [
    ("apel pagi", "05:45", "06:15", "06:25", "apel", "in"),
    *IN_OUT,
    ("apel sore", "18:45", "19:15", "19:30", "apel", "any"),
]
ONLY_APEL: Points = [("apel", "06:45", "07:15", "08:00", "apel", "in")]
MORNING: Points = [
    ("masuk", "06:00", "07:00", "08:30", "presence", "in"),
    ("pulang", "13:00", "14:00", "15:30", "presence", "out"),
]
EVENING: Points = [
    ("masuk", "12:30", "14:00", "15:00", "presence", "in"),
    ("pulang", "20:00", "21:00", "24:30", "presence", "out"),
]
NIGHT: Points = [
    ("masuk", "20:00", "21:00", "22:30", "presence", "in"),
    ("pulang", "29:00", "30:00", "31:30", "presence", "out"),
]
LONG: Points = [
    ("masuk", "07:00", "08:00", "09:00", "presence", "in"),
    ("tengah", "23:00", "24:00", "25:00", "presence", "any"),
    ("pulang", "31:00", "32:00", "37:00", "presence", "out"),
]


@dataclass
class Places:
    """What people can be put into. `weeks` tells what a schedule id mostly asks for."""

    zones: dict[str, str] = field(default_factory=dict)
    units: dict[str, list[str]] = field(default_factory=dict)
    devices: dict[str, list[str]] = field(default_factory=dict)
    device_zones: dict[str, str] = field(default_factory=dict)
    unit_schedules: dict[str, str | None] = field(default_factory=dict)
    weeks: dict[str, dict[str, Points]] = field(default_factory=dict)


def make_places(draft: Draft) -> Places:
    dice = draft.dice("places")
    chosen = sorted(dice.sample(REGENCIES, dice.randint(2, len(REGENCIES))))
    places = Places()
    for code, name, province, zone in chosen:
        draft.add("regencies.csv", code, name, province, zone)
        places.zones[code] = zone
    make_schedules(draft, places)
    for code in places.zones:
        make_units(draft, places, code)
        make_devices(draft, places, code)
    return places


def make_units(draft: Draft, places: Places, code: str) -> None:
    """Make a small tree; some units have a schedule of their own, one has none at all."""
    dice = draft.dice(f"units {code}")
    usual = dice.choice(["kantor", "kantor", f"enam-{code}", f"empat-{code}", f"apel-{code}"])
    tree: list[tuple[str, str | None, str | None]] = [
        (f"{code}-1", None, usual),
        (f"{code}-2", f"{code}-1", None),
        (f"{code}-3", f"{code}-2", dice.choice([None, None, "kantor", f"apel-{code}"])),
        (f"{code}-rs", None, "jaga"),
        (f"{code}-x", None, None),
    ]
    for unit, parent, schedule in tree:
        draft.add("units.csv", unit, code, f"Unit {unit}", parent, None, schedule)
        above = places.unit_schedules.get(parent) if parent else None
        places.unit_schedules[unit] = schedule or above
    places.units[code] = [unit for unit, _, _ in tree]


def make_devices(draft: Draft, places: Places, code: str) -> None:
    dice = draft.dice(f"devices {code}")
    places.devices[code] = []
    for number in (1, 2):
        serial = f"D{code.replace('.', '')}{number}"
        zone = ""
        if draft.wants("zones") and some(dice, 0.3):
            zone = dice.choice(["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"])
        draft.add("devices.csv", serial, code, dice.choice(places.units[code]), zone)
        places.devices[code].append(serial)
        places.device_zones[serial] = zone or places.zones[code]


class Publish(Protocol):
    """Writes one version of a schedule."""

    def __call__(
        self, name: str, regency: str, begins: date, week: dict[str, Points], **more: str
    ) -> None: ...


def document(
    name: str, regency: str, begins: date, week: dict[str, Points], **more: str
) -> dict[str, Any]:
    keys = ("name", "opens", "due", "closes", "kind", "direction")
    return {
        "id": name,
        "regency": regency,
        "effective_from": begins.isoformat(),
        "slack_minutes": "30",
        **more,
        "week": {
            day: [dict(zip(keys, point, strict=True)) for point in points]
            for day, points in week.items()
        },
    }


def on(days: int, points: Points) -> dict[str, Points]:
    return dict.fromkeys(WEEK[:days], points)


def make_schedules(draft: Draft, places: Places) -> None:
    """Make national and regional schedules, shifts, and versions that change or come late."""
    dice = draft.dice("schedules")

    def publish(
        name: str, regency: str, begins: date, week: dict[str, Points], **more: str
    ) -> None:
        file = f"schedules/{name}.{regency.replace('*', 'all')}.{begins:%Y%m%d}.yaml"
        draft.documents[file] = document(name, regency, begins, week, **more)
        places.weeks.setdefault(name, week)

    publish("kantor", "*", LONG_AGO, on(5, IN_OUT))
    publish("malam", "*", LONG_AGO, on(7, NIGHT), on_holidays="true")
    publish("pagi", "*", LONG_AGO, on(7, MORNING), on_holidays=dice.choice(["true", "false"]))
    publish("sore", "*", LONG_AGO, on(7, EVENING))
    publish("panjang", "*", LONG_AGO, on(7, LONG), slack_minutes="60", on_holidays="true")
    publish("jaga", "*", LONG_AGO, {})
    publish("bebas", "*", LONG_AGO, {})
    for code in places.zones:
        six = on(6, IN_OUT)
        publish(f"enam-{code}", code, LONG_AGO, six, slack_minutes=dice.choice(["0", "15", "90"]))
        publish(f"empat-{code}", code, LONG_AGO, on(5, FOUR), slack_minutes="15")
        apel = {**on(5, APEL), "sat": ONLY_APEL}
        publish(f"apel-{code}", code, LONG_AGO, apel)
        if draft.wants("own schedules") and some(dice, 0.6):
            begins = dice.choice([LONG_AGO - timedelta(days=400), draft.day(dice)])
            publish("kantor", code, begins, on(5, dice.choice([IN_OUT, RAMADAN, APEL])))
    if draft.wants("ramadan"):
        make_ramadan(draft, dice, list(places.zones), publish)


def make_ramadan(draft: Draft, dice: Random, codes: list[str], publish: Publish) -> None:
    """Publish shorter hours for some weeks, some of them only after they have begun."""
    for name, regency in [
        ("kantor", "*"),
        (f"enam-{codes[0]}", codes[0]),
        (f"apel-{codes[-1]}", codes[-1]),
    ]:
        begins = draft.day(dice, 3, -5)
        ends = begins + timedelta(days=dice.randint(5, 25))
        more = {}
        if draft.wants("late schedules") and some(dice, 0.6):
            more["recorded_at"] = stamp(dice, begins + timedelta(days=dice.randint(-3, 15)))
        publish(name, regency, begins, on(5, RAMADAN), **more)
        if some(dice, 0.7):
            publish(name, regency, ends, on(dice.choice([5, 6]), IN_OUT))
