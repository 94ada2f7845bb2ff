"""The working-day arithmetic of the clocks: by hand at the edges, and for any calendar."""

from datetime import date, timedelta

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from shared.kernel.working_days import FIVE_DAYS, SIX_DAYS, WorkCalendar
from tests.discipline.tables import calendar, on

DAYS = st.dates(date(2021, 8, 31), date(2030, 12, 31))
WEEKS = st.sampled_from([FIVE_DAYS, SIX_DAYS, frozenset({6})])
NUMBERS = st.integers(1, 30)


@st.composite
def calendars(draw: st.DrawFn) -> WorkCalendar:
    """Draw a week and holidays, many of them close together, as around Idulfitri."""
    start = draw(DAYS)
    offsets = draw(st.frozensets(st.integers(0, 60), max_size=20))
    holidays = frozenset(start + timedelta(days=n) for n in offsets)
    return WorkCalendar("drawn", holidays, draw(WEEKS))


def test_a_saturday_counts_in_a_six_day_week_only() -> None:
    friday = on("2022-02-11")

    assert calendar().nth_after(friday, 1) == on("2022-02-14")
    assert calendar(weekdays=SIX_DAYS).nth_after(friday, 1) == on("2022-02-12")


def test_the_day_itself_is_never_counted() -> None:
    assert calendar().nth_after(on("2022-02-08"), 1) == on("2022-02-09")
    assert calendar().between(on("2022-02-08"), on("2022-02-09")) == 0
    assert calendar().between(on("2022-02-08"), on("2022-02-10")) == 1


def test_between_days_in_the_wrong_order_is_nothing() -> None:
    assert calendar().between(on("2022-02-10"), on("2022-02-08")) == 0


@pytest.mark.parametrize("number", [0, -1])
def test_there_is_no_working_day_number_zero(number: int) -> None:
    with pytest.raises(ValueError, match="number"):
        calendar().nth_after(on("2022-02-08"), number)


@pytest.mark.parametrize("weekdays", [frozenset[int](), frozenset({7})])
def test_a_week_without_a_working_day_is_refused(weekdays: frozenset[int]) -> None:
    """On such a calendar no clock would ever end."""
    with pytest.raises(ValueError, match="SKB 2022"):
        calendar(weekdays=weekdays)


@for_all(calendars(), DAYS, NUMBERS)
def test_the_nth_working_day_is_a_working_day_after_the_start(
    holidays: WorkCalendar, start: date, number: int
) -> None:
    end = holidays.nth_after(start, number)

    assert end > start
    assert end not in holidays.holidays
    assert end.weekday() in holidays.weekdays


@for_all(calendars(), DAYS, NUMBERS)
def test_before_the_nth_lie_all_the_others(
    holidays: WorkCalendar, start: date, number: int
) -> None:
    """The two ways of counting agree: n - 1 clear working days lie before the n-th."""
    end = holidays.nth_after(start, number)

    assert holidays.between(start, end) == number - 1


@for_all(calendars(), DAYS, NUMBERS, st.integers(0, 10))
def test_a_later_start_never_ends_earlier(
    holidays: WorkCalendar, start: date, number: int, later: int
) -> None:
    after = holidays.nth_after(start + timedelta(days=later), number)

    assert holidays.nth_after(start, number) <= after
    assert after < holidays.nth_after(start + timedelta(days=later), number + 1)


@for_all(calendars(), DAYS, NUMBERS, st.integers(1, 40))
def test_a_holiday_more_moves_the_day_exactly_if_it_took_a_counted_one(
    holidays: WorkCalendar, start: date, number: int, offset: int
) -> None:
    """A day newly free before or on the end moves it to the next working day; others, not."""
    free = start + timedelta(days=offset)
    end = holidays.nth_after(start, number)
    more = WorkCalendar("more", holidays.holidays | {free}, holidays.weekdays)

    took = holidays.works(free) and free <= end
    assert more.nth_after(start, number) == holidays.nth_after(start, number + took)
