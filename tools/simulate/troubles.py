"""What goes wrong with machines and lines: outages by machine, unit and regency, late uploads."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from tools.simulate.calendar import weekday_after
from tools.simulate.machines import DAY_SECONDS, Silence
from tools.simulate.people import Town

_ENOUGH_DAYS = 20
_MORNING, _EVENING = "06:00", "19:00"


class Outage(NamedTuple):
    """A row of outages.csv; times as written."""

    outage_id: str
    regency: str
    unit_id: str
    serial: str
    begins: str
    ends: str
    reason: str
    recorded_at: str


class LateUpload(NamedTuple):
    """A row of late-uploads.csv."""

    serial: str
    begins: str
    ends: str
    received_at: str


class Troubles(NamedTuple):
    """What is declared, what arrives late, and when machines are silent."""

    outages: list[Outage]
    late_uploads: list[LateUpload]
    silences: list[Silence]


def troubles_of(towns: Sequence[Town], begins: date, days: int) -> Troubles:
    """Let every kind of trouble happen once, if there are days enough."""
    found = Troubles([], [], [])
    inhabited = [town for town in towns if town.units]
    if days < _ENOUGH_DAYS or not inhabited:
        return found
    for number, town in enumerate(inhabited):
        on = weekday_after(begins, 8 + 3 * number)
        if on + timedelta(1) <= begins + timedelta(days - 1):
            _outage(found, town, number, begins, on)
    town = inhabited[0]
    _late(found, town.units[-1].serial, weekday_after(begins, days // 4))
    _late(found, inhabited[-1].units[0].serial, weekday_after(begins, days // 2))
    return found


def _outage(found: Troubles, town: Town, number: int, begins: date, on: date) -> None:
    """Declare an outage of a machine, of a unit, or of the whole regency, by turns."""
    unit = town.units[-1]
    scope = number % 3
    recorded = on + timedelta((0, 1, 4)[scope])
    outage = Outage(
        f"G{number + 1:03}",
        town.spec.code,
        unit.unit_id if scope == 1 else "",
        unit.serial if scope == 0 else "",
        f"{on.isoformat()}T{_MORNING}:00",
        f"{on.isoformat()}T{_EVENING}:00" if scope else on.isoformat(),
        ("mesin rusak", "listrik padam", "jaringan putus")[scope],
        f"{recorded.isoformat()}T20:15:00",
    )
    found.outages.append(outage)
    midnight = (on - begins).days * DAY_SECONDS
    for silent in town.units if scope == 2 else [unit]:  # noqa: PLR2004  (the regency)
        found.silences.append(Silence(silent.serial, midnight, midnight + DAY_SECONDS - 1))


def _late(found: Troubles, serial: str, first: date) -> None:
    """Let three days of a machine arrive five days later: after their closings."""
    last, arrived = first + timedelta(2), first + timedelta(5)
    row = LateUpload(
        serial, first.isoformat(), last.isoformat(), f"{arrived.isoformat()}T09:12:30"
    )
    found.late_uploads.append(row)
