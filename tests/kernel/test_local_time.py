"""One clock for the fold, the reader and the log: local times and days of any zone (A3)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.local_time import (
    DAY,
    EPOCH_DAY,
    clock_of,
    date_of,
    instant_of,
    local_text,
    weekday_of,
    year_of,
)

INDONESIA = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
# A summer time that begins at midnight, a date that was left out, half and odd hours.
ELSEWHERE = ("Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu", "UTC")
zones = st.sampled_from((*INDONESIA, *ELSEWHERE))
instants = st.integers(-2_208_988_800, 4_102_444_800)  # 1900 to 2100.


def local(text: str) -> int:
    """Give a local time as seconds; hand-made, so that nothing under test makes it."""
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1)  # noqa: DTZ001  (no zone)
    return since.days * 86_400 + since.seconds


@given(zones, instants)
def test_day_and_local_time_are_those_of_the_zone(zone: str, instant: int) -> None:
    """Held against the standard library, which needs an object for each."""
    there = datetime.fromtimestamp(instant, ZoneInfo(zone))
    clock = clock_of(zone)

    assert date_of(clock.day_of(instant)) == there.date()
    assert local_text(clock.local(instant)) == there.replace(tzinfo=None).isoformat()


@given(zones, st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_a_day_begins_at_its_midnight(zone: str, on: date) -> None:
    clock, day = clock_of(zone), on.toordinal()
    begins = clock.midnight(day)

    assert clock.day_of(begins - 1) < clock.day_of(begins)
    assert clock.day_of(begins) == day or clock.midnight(day) == clock.midnight(day + 1)
    assert begins == int(datetime(on.year, on.month, on.day, tzinfo=ZoneInfo(zone)).timestamp())


@given(zones, instants)
def test_the_text_of_an_instant_is_that_instant(zone: str, instant: int) -> None:
    told = datetime.fromisoformat(clock_of(zone).iso(instant))

    assert told.timestamp() == instant
    assert told == clock_of(zone).aware(instant)
    assert instant_of(told) == instant


@pytest.mark.parametrize("zone", [*INDONESIA, *ELSEWHERE])
@pytest.mark.parametrize("year", [1, 9999])
def test_every_instant_of_the_calendar_has_a_day(zone: str, year: int) -> None:
    """A machine that tells year 1 or 9999 must not stop a fold; the day may lie outside."""
    for month, on in ((1, 1), (12, 31)):
        instant = instant_of(datetime(year, month, on, 12, tzinfo=UTC))
        clock = clock_of(zone)

        assert abs(clock.day_of(instant) - date(year, month, on).toordinal()) <= 1
        assert clock.instant(clock.local(instant)) == instant


@pytest.mark.parametrize(
    ("zone", "instant", "day"),
    [
        ("Asia/Jayapura", "2026-01-04T22:30:00+00:00", "2026-01-05"),
        ("Asia/Makassar", "2026-01-04T15:59:59+00:00", "2026-01-04"),
        ("Asia/Makassar", "2026-01-04T16:00:00+00:00", "2026-01-05"),
        ("Asia/Jakarta", "2026-01-04T16:59:59+00:00", "2026-01-04"),
        ("Asia/Jakarta", "2026-01-04T17:00:00+00:00", "2026-01-05"),
    ],
)
def test_a_day_of_indonesia_begins_yesterday_in_utc(zone: str, instant: str, day: str) -> None:
    found = clock_of(zone).day_of(instant_of(datetime.fromisoformat(instant)))

    assert date_of(found).isoformat() == day


@given(st.datetimes(timezones=st.timezones()))
def test_an_instant_is_the_timestamp_cut_to_seconds(time: datetime) -> None:
    assert instant_of(time) == (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)


@given(st.dates())
def test_a_day_has_the_year_and_weekday_of_its_date(on: date) -> None:
    day = on.toordinal()

    assert (date_of(day), year_of(day), weekday_of(day)) == (on, on.year, on.weekday())
    assert local_text((day - EPOCH_DAY) * DAY) == f"{on.isoformat()}T00:00:00"


def test_a_zone_with_summer_time_is_exact_on_the_day_it_changes() -> None:
    """No zone of Indonesia has it; a dataset may name any."""
    berlin = clock_of("Europe/Berlin")
    before = berlin.instant(local("2026-03-29T01:59:59"))
    after = berlin.instant(local("2026-03-29T03:00:00"))

    assert after - before == 1
    assert berlin.iso(before) == "2026-03-29T01:59:59+01:00"
    assert berlin.iso(after) == "2026-03-29T03:00:00+02:00"
    assert berlin.aware(after).isoformat() == "2026-03-29T03:00:00+02:00"
    assert berlin.noon(date(2026, 3, 29)) - after == 9 * 3600


def test_an_old_offset_with_seconds_is_told_in_utc() -> None:
    """ISO 8601 has no seconds in an offset; Makassar's was +07:57:36 until 1919."""
    clock = clock_of("Asia/Makassar")
    instant = clock.instant(local("1910-01-01T07:57:36"))

    assert clock.iso(instant) == clock.aware(instant).isoformat() == "1910-01-01T00:00:00+00:00"
