"""The acceptance vectors of the domain reference that concern attendance, by their ids.

Sources: the ladder of PP 94/2021 (Pasal 9-11) and the worked examples in the annex of Peraturan
BKN 6/2022 ("ex. N"). Absences are given by letting a person stay away on workdays of a five-day
week; a day in between is a day of presence.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.attendance.dataset import nip
from services.attendance.projection.assessor import Assessor
from shared.events.attendance import FACTS
from shared.kernel.local_time import clock_of, date_of
from tests.attendance.world import LADDER, World, on

SANCTIONS = {days: sanction for days, _, sanction, _ in LADDER}


def workdays_from(first: str, count: int) -> list[str]:
    """Give the next weekdays."""
    day, found = on(first), list[str]()
    while len(found) < count:
        if day.weekday() < 5:
            found.append(day.isoformat())
        day += timedelta(days=1)
    return found


def year_with(absences: int, *, first: str = "2022-01-03") -> World:
    """Let a person be absent four workdays of five, so that no run of ten builds up."""
    world = World(evidence_window_workdays=0)
    world.at(f"{first}T00:30:00").hire("A")
    days = workdays_from(first, absences + absences // 4 + 1)
    for number, day in enumerate(days):
        if number % 5 == 4 or number == len(days) - 1:
            world.work(day)
    return world.close_all(days[0], days[-1])


@pytest.mark.parametrize(
    ("absences", "tier"),
    [
        (0, None),
        (2, None),
        (3, 3),
        (4, 4),
        (6, 4),
        (7, 7),
        (10, 7),
        (11, 11),
        (13, 11),
        (14, 14),
        (16, 14),
        (17, 17),
        (20, 17),
        (21, 21),
        (24, 21),
        (25, 25),
        (27, 25),
        (28, 28),
        (200, 28),
    ],
)
def test_l0_the_ladder_of_the_year(absences: int, tier: int | None) -> None:
    """L0: the sanction of a year's sum, on both sides of every edge (PP 94/2021 Pasal 9-11)."""
    thresholds = year_with(absences).thresholds()

    assert max((t[1] for t in thresholds), default=None) == tier
    assert all(state == "active" for *_, state in thresholds)


@pytest.mark.parametrize(
    ("before", "more", "sanction"),
    [
        (0, 3, "teguran_lisan"),  # L1, ex. 2a.
        (3, 2, "teguran_tertulis"),  # L2, ex. 2b.
        (5, 4, "pernyataan_tidak_puas"),  # L3, ex. 2c.
        (9, 3, "potong_tunjangan_25_6_bulan"),  # L4, ex. 4a.
        (16, 3, "potong_tunjangan_25_12_bulan"),  # L5, ex. 4c.
        (20, 3, "penurunan_jabatan_12_bulan"),  # L6, ex. 5a.
        (23, 3, "pembebasan_jabatan_12_bulan"),  # L7, ex. 5b.
        (27, 2, "pdhtaps"),  # L8, ex. 5c.
    ],
)
def test_l1_to_l8_punished_days_stay_in_the_sum(before: int, more: int, sanction: str) -> None:
    """L1-L8: the next tier is that of the whole year's sum, not of the new days alone."""
    highest = max(t[1] for t in year_with(before + more).thresholds())

    assert SANCTIONS[highest] == sanction


def october(absent: list[str], *, holidays: tuple[str, ...] = (), last: str) -> World:
    """Let a person work all October 2022 but on the given days; no evidence window."""
    world = World(evidence_window_workdays=0)
    world.at("2022-10-01T00:30:00").hire("A")
    for holiday in holidays:
        world.holiday(holiday)
    for day in workdays_from("2022-10-03", 20):
        if day <= last and day not in absent:
            world.work(day)
    return world.close_all("2022-10-01", last)


def test_c1_ten_running_workdays() -> None:
    """C1: absent 1-14 October 2022, a five-day week: a run of exactly ten (ex. 5d)."""
    days = workdays_from("2022-10-03", 10)
    world = october(days, last="2022-10-14")

    assert days[-1] == "2022-10-14"
    assert world.thresholds()[-1] == ("consecutive", 10, 10, "active")


def test_c2_presence_breaks_the_run() -> None:
    """C2: the same, present on 7 October: runs of 4 and 5, a sum of nine."""
    absent = [d for d in workdays_from("2022-10-03", 10) if d != "2022-10-07"]
    world = october(absent, last="2022-10-14")

    assert [t[:2] for t in world.thresholds()] == [
        ("cumulative", 3),
        ("cumulative", 4),
        ("cumulative", 7),
    ]


def test_c3_a_holiday_neither_counts_nor_breaks() -> None:
    """C3: absent from 3 October, a holiday on the 12th: the run of ten is reached on the 17th."""
    absent = workdays_from("2022-10-03", 11)
    before = october(absent, holidays=("2022-10-12",), last="2022-10-16").thresholds()
    after = october(absent, holidays=("2022-10-12",), last="2022-10-17").thresholds()

    assert "consecutive" not in [t[0] for t in before]
    assert after[-1] == ("consecutive", 10, 10, "active")


def test_c4_the_tenth_day_of_eleven() -> None:
    """C4: absent 17-31 October 2022: ten are reached on the 28th, eleven days in all."""
    absent = workdays_from("2022-10-17", 11)
    world = october(absent, last="2022-10-28")
    reached = [t for t in world.thresholds() if t[0] == "consecutive"]
    world.close_all("2022-10-29", "2022-10-31")

    assert reached == [("consecutive", 10, 10, "active")]
    assert sum(status == "unexcused" for status in world.statuses().values()) == 11


def test_c5_the_sum_begins_anew_with_the_year() -> None:
    """C5: two days in December and two in January: no threshold (PP 94/2021 Pasal 15(1))."""
    world = World(evidence_window_workdays=0)
    world.at("2022-12-26T00:30:00").hire("A")
    days = workdays_from("2022-12-26", 8)
    for number, day in enumerate(days):
        if number not in (2, 4, 5, 7):
            world.work(day)
    world.close_all(days[0], days[-1])

    assert sum(status == "unexcused" for status in world.statuses().values()) == 4
    assert world.thresholds() == []


def test_c6_a_day_that_becomes_a_holiday_takes_the_threshold_back() -> None:
    """C6: three days, then one of them is a holiday: the sum is two, and the threshold falls."""
    world = year_with(3)
    absent = [day for day, status in world.statuses().items() if status == "unexcused"]
    world.holiday(absent[1])

    assert world.thresholds() == [("cumulative", 3, 3, "retracted")]


@pytest.mark.parametrize(
    ("minutes", "switch", "days"),
    [
        (449, 450, 0),
        (450, 450, 1),
        (1_000, 450, 2),
        (1_349, 450, 2),  # What is carried from 1,000 is 100: one minute short of the next day.
        (1_350, 450, 3),
        (1_000, None, 0),
    ],
)
def test_t1_lateness_into_days(minutes: int, switch: int | None, days: int) -> None:
    """T1: floor division, the rest carried; switched off, nothing (KMK 5/KMK.01/2022: 7.5 h)."""
    ladder = [(n, "ringan", f"tier_{n}", "-") for n in (1, 2, 3)]
    world = World(evidence_window_workdays=0, lateness_day_minutes=switch)
    world.rules(
        "local", regency="53.01", cumulative=ladder, lateness_day_minutes=switch,
        evidence_window_workdays=0,
    )  # fmt: skip
    world.at("2022-01-03T00:30:00").hire("A")
    due = datetime.fromisoformat("2022-01-03T07:30:00")
    last = "2022-01-03"
    for number, day in enumerate(workdays_from("2022-01-03", 20)):
        late = min(90, minutes - 90 * number)
        if late < 0:
            break
        came = datetime.combine(date.fromisoformat(day), due.time()) + timedelta(minutes=late)
        world.tap(came.isoformat(), f"{day}T16:05:00")
        last = day
    world.close_all("2022-01-03", last)
    said = [tier for _, tier, _, _ in world.thresholds()]

    assert max(said, default=0) == days
    assert "unexcused" not in world.statuses().values()


@pytest.mark.parametrize(
    ("local", "zone", "utc", "day"),
    [
        ("2024-10-17T07:00:00", "Asia/Makassar", "2024-10-16T23:00:00", "2024-10-17"),
        ("2024-03-25T07:45:00", "Asia/Jakarta", "2024-03-25T00:45:00", "2024-03-25"),
    ],
)
def test_h1_a_day_is_a_day_in_the_zone_of_the_regency(
    local: str, zone: str, utc: str, day: str
) -> None:
    """H1: 07:00 in Kupang is yesterday in UTC, and today in the regency."""
    instant = int(datetime.fromisoformat(f"{utc}+00:00").timestamp())
    there = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))

    assert int(there.timestamp()) == instant
    assert date_of(clock_of(zone).day_of(instant)) == on(day)


PP53 = (
    (5, "ringan", "teguran_lisan", "-"),
    (6, "ringan", "teguran_tertulis", "-"),
    (11, "ringan", "pernyataan_tidak_puas", "-"),
    (16, "sedang", "penundaan_kenaikan_gaji_berkala", "-"),
)


@pytest.mark.parametrize(
    ("absences", "year", "sanction"),
    [
        (5, 2020, "teguran_lisan"),
        (5, 2022, "teguran_tertulis"),
        (12, 2020, "pernyataan_tidak_puas"),
        (12, 2022, "potong_tunjangan_25_6_bulan"),
    ],
)
def test_v1_the_date_of_the_act_decides_which_rules(
    absences: int, year: int, sanction: str
) -> None:
    """V1: PP 53/2010 for acts before 31 August 2021, PP 94/2021 from then on (design 5.7)."""
    world = World(evidence_window_workdays=0)
    world.rules("pp53-2010", since="2010-06-06", cumulative=PP53, evidence_window_workdays=0)
    first = f"{year}-01-06" if year == 2020 else f"{year}-01-03"
    world.at(f"{first}T00:30:00").hire("A")
    days = workdays_from(first, 2 * absences + 1)
    for number, day in enumerate(days):
        if number % 2 == 0:
            world.work(day)
    world.close_all(days[0], days[-1])
    highest = max(world.thresholds(), key=lambda said: said[1])[1]
    named = {t[0]: t[2] for t in (PP53 if year == 2020 else LADDER)}

    assert named[highest] == sanction


def test_m1_ten_days_of_which_five_were_excused_are_five() -> None:
    """M1: ten running days, and the examination finds five of them excused: written reprimand.

    The run and its dismissal fall, and so does the tier of seven; three and four days, whose
    dates all still count, stand (ex. 23-1).
    """
    days = workdays_from("2022-10-17", 10)
    world = october(days, last="2022-10-28")
    world.excuse("X1", days[5], days[9])
    active = [t for t in world.thresholds() if t[3] == "active"]

    assert ("consecutive", 10, 10, "retracted") in world.thresholds()
    assert active == [("cumulative", 3, 3, "active"), ("cumulative", 4, 4, "active")]
    assert SANCTIONS[active[-1][1]] == "teguran_tertulis"


def test_p6_the_day_of_who_is_released_for_the_time_and_stays_away_counts() -> None:
    """P6: temporary release from office keeps pay and the duty to attend (ex. 15; derived).

    It is told by discipline, and attendance hears its own facts alone: only a letter excuses.
    """
    assert Assessor.topics == (FACTS,)
    assert {kind.SERVICE for kind in Assessor.hears} == {"attendance"}

    assert october(["2022-10-04"], last="2022-10-05").statuses() == {
        "2022-10-03": "present",
        "2022-10-04": "unexcused",
        "2022-10-05": "present",
    }


@pytest.mark.parametrize("number", ["200002292024031999", "200002292024211999"])
def test_n1_a_nip_of_good_form(number: str) -> None:
    """N1: a PNS and a PPPK number (Perka BKN 22/2007); both invented."""
    assert nip.doubt(number) is None


@pytest.mark.parametrize(
    "number",
    [
        "200102292024031001",  # Born on 29 February 2001.
        "200002292024131001",  # Appointed in month 13.
        "200002292024033001",  # Sex 3.
        "200002292024031000",  # Sequence 000.
        "20000229202403199",  # 17 digits.
    ],
)
def test_n1_a_nip_of_bad_form_is_doubted(number: str) -> None:
    """N1: what cannot be a NIP is a warning; the row is loaded all the same (A17)."""
    assert nip.doubt(number) is not None
