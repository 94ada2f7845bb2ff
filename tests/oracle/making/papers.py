"""What offices say in a random dataset, often late: letters, holidays, outages."""

from datetime import date, timedelta
from random import Random

from tests.oracle.making.draft import Draft, some, stamp
from tests.oracle.making.lives import Life
from tests.oracle.making.places import Places


def make_excuses(draft: Draft, lives: list[Life]) -> None:
    """Write letters before, on time and late, revoked, overlapping, on days off."""
    dice = draft.dice("excuses")
    number = 0
    for life in lives:
        for _ in range(dice.randint(0, 2 + draft.days // 10)):
            number += 1
            first = draft.day(dice, -2)
            last = first + timedelta(days=dice.choice([0, 0, 0, 1, 2, 5, 20]))
            told = first + timedelta(days=dice.choice([-6, 0, 0, 1, 4, 9, 18]))
            recorded = stamp(dice, told)
            revoked = ""
            if draft.wants("revocations") and some(dice, 0.3):
                revoked = stamp(dice, told + timedelta(days=dice.choice([1, 1, 3, 8, 15])))
            kind = dice.choice(["sakit", "izin", "cuti", "dinas_luar"])
            cells = [f"X{number:03}", life.name, first, last, kind, "Surat"]
            draft.add("excuses.csv", *cells, recorded, revoked)


def make_calendar(draft: Draft, places: Places) -> None:
    """Decree holidays at three scopes, early and late, and take some of them back."""
    dice = draft.dice("calendar")
    provinces = sorted({code.split(".")[0] for code in places.zones})
    scopes = ["ID", "ID", *provinces, *places.zones]
    for _ in range(3 + draft.days // 6):
        day = draft.day(dice, -1, 2)
        scope = dice.choice(scopes)
        for _ in range(dice.choice([1, 1, 2, 3])):
            scope = scope if some(dice, 0.4) else dice.choice(scopes)
            kind = dice.choice(["holiday", "holiday", "joint_leave", "working_day"])
            draft.add("calendar.csv", day, scope, kind, "Libur", decreed(dice, draft, day))


def decreed(dice: Random, draft: Draft, day: date) -> str:
    if some(dice, 0.5):
        early = draft.start - timedelta(days=dice.randint(30, 90))
        return f"{early.isoformat()}T10:00:00+07:00"
    return stamp(dice, day + timedelta(days=dice.choice([-3, 0, 1, 2, 6, 14])))


def make_outages(draft: Draft, places: Places) -> None:
    """Declare outages of a regency, a unit, a device or both, in time, late, or without an end."""
    dice = draft.dice("outages")
    codes = list(places.zones)
    for number in range(3 + draft.days // 5):
        code = dice.choice(codes)
        shape = dice.choice(["regency", "unit", "device", "both"])
        unit = dice.choice(places.units[code]) if shape in {"unit", "both"} else ""
        serial = dice.choice(places.devices[code]) if shape in {"device", "both"} else ""
        day = draft.day(dice)
        begins = dice.choice(
            [f"{day}T06:00:00", f"{day}T09:00:01", f"{day}T19:00:00", f"{day}", f"{day}T21:30:00"]
        )
        after = day + timedelta(days=dice.choice([0, 0, 1, 3, 7]))
        ends = dice.choice([f"{after}", f"{after}T23:00:00"])
        if some(dice, 0.25):  # It touches an assembly's window, but no other.
            begins, ends = f"{day}T05:30:00", f"{day}T06:29:59"
        if shape != "regency" and some(dice, 0.15):
            ends = ""
        told = day + timedelta(days=dice.choice([-1, 0, 0, 1, 5, 10]))
        cells = [f"O{number:02}", code, unit, serial, begins, ends, "Gangguan"]
        draft.add("outages.csv", *cells, stamp(dice, told))
