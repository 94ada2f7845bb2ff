"""Holidays of a simulation: those of 2026 as decreed, in other years the dates that never move.

Source of 2026: the joint decree of three ministers and Keppres 42/2025 (17 national holidays and
8 days of joint leave).
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from shared.kernel.holidays import COUNTRY, WORKING_DAY, HolidayCalendar, covers
from tools.simulate.places import RegencySpec

DECREED = "2025-09-19T10:00:00+07:00"
RAMADAN_BEGINS, RAMADAN_ENDS = date(2026, 2, 18), date(2026, 3, 20)  # The last is a holiday.
_EVERY_YEAR = {
    (1, 1): "Tahun Baru Masehi",
    (5, 1): "Hari Buruh Internasional",
    (6, 1): "Hari Lahir Pancasila",
    (8, 17): "Proklamasi Kemerdekaan",
    (12, 25): "Kelahiran Yesus Kristus",
}
_HOLIDAYS_2026 = {
    (1, 16): "Isra Mikraj Nabi Muhammad SAW",
    (2, 17): "Tahun Baru Imlek",
    (3, 19): "Hari Suci Nyepi",
    (3, 21): "Idulfitri",
    (3, 22): "Idulfitri",
    (4, 3): "Wafat Yesus Kristus",
    (4, 5): "Kebangkitan Yesus Kristus",
    (5, 14): "Kenaikan Yesus Kristus",
    (5, 27): "Iduladha",
    (5, 31): "Hari Raya Waisak",
    (6, 16): "Tahun Baru Islam",
    (8, 25): "Maulid Nabi Muhammad SAW",
}
_JOINT_LEAVE_2026 = ((2, 16), (3, 18), (3, 20), (3, 23), (3, 24), (5, 15), (5, 28), (12, 24))
REOPENED = date(2026, 2, 16)


class Decree(NamedTuple):
    """A row of calendar.csv."""

    on: date
    scope: str
    kind: str
    name: str
    recorded_at: str


class Calendar:
    """What is decreed in a span of days, and which days are off in the end."""

    def __init__(self, regencies: Sequence[RegencySpec], begins: date, ends: date) -> None:
        self.decrees = [*_national(begins, ends), *_local(regencies, begins, ends)]
        self._of = {spec.code: HolidayCalendar() for spec in regencies}
        for code, calendar in self._of.items():
            for decree in self.decrees:
                if covers(decree.scope, code):
                    calendar.decree(decree.on.toordinal(), decree.scope, decree.kind)

    def is_off(self, code: str, on: date) -> bool:
        """Say whether a date is a holiday or joint leave in a regency."""
        return self._of[code].is_holiday(on.toordinal())


def _national(begins: date, ends: date) -> Iterator[Decree]:
    on = begins
    while on <= ends:
        key = on.month, on.day
        moving = _HOLIDAYS_2026 if on.year == RAMADAN_BEGINS.year else {}
        name = _EVERY_YEAR.get(key, moving.get(key))
        decreed = DECREED if moving else f"{on.year - 1}-09-19T10:00:00+07:00"
        if name is not None:
            yield Decree(on, COUNTRY, "holiday", name, decreed)
        elif moving and key in _JOINT_LEAVE_2026:
            yield Decree(on, COUNTRY, "joint_leave", "Cuti bersama", decreed)
        on += timedelta(1)


def _local(regencies: Sequence[RegencySpec], begins: date, ends: date) -> Iterator[Decree]:
    """Give a provincial holiday, one of a regency that is decreed late, and a re-opened day."""
    span = (ends - begins).days
    if span < _ENOUGH_DAYS:
        return
    provincial, late = weekday_after(begins, span // 3), weekday_after(begins, span // 2)
    first, last = regencies[0], regencies[-1]
    early = f"{begins.isoformat()}T08:00:00"
    yield Decree(provincial, first.province, "holiday", "Hari jadi provinsi", early)
    recorded = late + timedelta(5)
    yield Decree(late, last.code, "holiday", "Libur daerah", f"{recorded.isoformat()}T09:30:00")
    if begins < REOPENED <= ends:
        spec = regencies[min(1, len(regencies) - 1)]
        yield Decree(REOPENED, spec.code, WORKING_DAY, "Pelayanan tetap buka", early)


_ENOUGH_DAYS = 20


def weekday_after(begins: date, days: int) -> date:
    """Give a Tuesday to Thursday, some days after a date."""
    on = begins + timedelta(days)
    while on.weekday() not in (1, 2, 3):
        on += timedelta(1)
    return on
