"""The narrowest scope with any decree for a day decides; within it the last recorded (B4)."""

import pytest

from shared.kernel.holidays import HolidayCalendar, covers, province_of

DAY = 739_000


def decreed(*rows: tuple[str, str]) -> HolidayCalendar:
    calendar = HolidayCalendar()
    for scope, kind in rows:
        calendar.decree(DAY, scope, kind)
    return calendar


@pytest.mark.parametrize(
    ("rows", "free"),
    [
        ((), False),
        ((("ID", "holiday"),), True),
        ((("ID", "joint_leave"),), True),
        ((("ID", "holiday"), ("53", "working_day")), False),
        ((("53", "working_day"), ("ID", "holiday")), False),
        ((("ID", "holiday"), ("53", "working_day"), ("53.01", "holiday")), True),
        ((("53.01", "holiday"), ("53.01", "working_day")), False),
        ((("53.01", "working_day"), ("53.01", "joint_leave")), True),
        ((("53.01", "working_day"), ("53", "holiday"), ("ID", "holiday")), False),
    ],
)
def test_the_narrowest_scope_decides_and_in_it_the_last(
    rows: tuple[tuple[str, str], ...], *, free: bool
) -> None:
    calendar = decreed(*rows)

    assert calendar.is_holiday(DAY) is free
    assert not calendar.is_holiday(DAY + 1)
    assert not calendar.is_holiday(DAY - 1)


@pytest.mark.parametrize(
    ("scope", "covered"),
    [("ID", True), ("53", True), ("53.01", True), ("53.02", False), ("52", False), ("5", False)],
)
def test_a_scope_is_the_country_a_province_or_one_regency(scope: str, *, covered: bool) -> None:
    assert covers(scope, "53.01") is covered


def test_the_province_stands_before_the_dot() -> None:
    assert province_of("53.01") == "53"
