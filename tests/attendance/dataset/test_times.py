"""Dates and times as people write them (semantics A4), and the instants they stand for (A3)."""

from datetime import date

import pytest

from services.attendance.dataset.times import read_date, read_end, read_moment
from shared.kernel.local_time import clock_of, date_of

MIDNIGHT = 1_767_571_200  # 2026-01-05T00:00:00 on a clock without an offset.


@pytest.mark.parametrize(
    ("text", "seconds", "offset"),
    [
        ("2026-01-05", 0, None),
        ("2026-01-05T07:30", 27_000, None),
        ("2026-01-05 07:30", 27_000, None),
        ("2026-01-05T07:30:15", 27_015, None),
        ("2026-01-05T07:30:15.999", 27_015, None),
        ("2026-01-05T07:30Z", 27_000, 0),
        ("2026-01-05T07:30:15+08:00", 27_015, 28_800),
        ("2026-01-05 07:30:15.5-0330", 27_015, -12_600),
        ("2026-01-05T07:30+09", 27_000, 32_400),
        ("2026-01-05T23:59:59", 86_399, None),
    ],
)
def test_a_time_is_read_with_blank_or_t_and_seconds_and_offset_or_not(
    text: str, seconds: int, offset: int | None
) -> None:
    written = read_moment(text)

    assert (written.local - MIDNIGHT, written.offset, written.text) == (seconds, offset, text)
    assert written.on == date(2026, 1, 5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kemarin",
        "2026-02-30",
        "2026-1-5",
        "20260105",
        "05-01-2026",
        "2026-01-05T",
        "2026-01-05T7:30",
        "2026-01-05T07",
        "2026-01-05T24:00",
        "2026-01-05T07:60",
        "2026-01-05T07:30:60",
        "2026-01-05T07:30:",
        "2026-01-05T07:30+24:00",
        "2026-01-05+08:00",
        "2026-01-05  07:30",
        "٢٠٢٦-01-05",
        "1899-12-31",
        "9999-01-01T00:00",
    ],
)
def test_anything_else_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_moment(text)


def test_a_date_alone_ends_with_its_last_second() -> None:
    assert read_end("2026-01-05").local == MIDNIGHT + 86_399
    assert read_end("2026-01-05T12:00").local == MIDNIGHT + 43_200


def test_a_time_is_no_date() -> None:
    assert read_date("2026-01-05") == date(2026, 1, 5)
    for text in ("2026-01-05T00:00", "2026-01-05 ", "2026-02-29"):
        with pytest.raises(ValueError, match=r".*"):
            read_date(text)


@pytest.mark.parametrize(
    ("zone", "utc"),
    [
        ("Asia/Jakarta", "2026-01-05T00:30:00+00:00"),
        ("Asia/Makassar", "2026-01-04T23:30:00+00:00"),
        ("Asia/Jayapura", "2026-01-04T22:30:00+00:00"),
    ],
)
def test_half_past_seven_is_another_instant_in_every_zone(zone: str, utc: str) -> None:
    """In Jayapura and Makassar it is still yesterday in UTC."""
    clock = clock_of(zone)
    instant = read_moment("2026-01-05T07:30").instant(clock)

    assert clock_of("UTC").iso(instant) == utc
    assert date_of(clock.day_of(instant)) == date(2026, 1, 5)
    assert clock.local(instant) == MIDNIGHT + 27_000


def test_an_offset_as_written_needs_no_zone() -> None:
    instant = read_moment("2026-01-05T07:30+07:00").instant(clock_of("Asia/Jayapura"))

    assert clock_of("Asia/Jayapura").iso(instant) == "2026-01-05T09:30:00+09:00"
