"""The salary track: when pay stops, and instructions that take money back both ways."""

from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.discipline.domain.salary import (
    Instruction,
    Month,
    Treated,
    corrected,
    corrections,
    unpaid_from,
)
from tests.discipline.tables import on, row, rules

OCTOBER, NOVEMBER, DECEMBER = Month(2022, 10), Month(2022, 11), Month(2022, 12)
MONTHS = st.builds(Month, st.just(2022), st.integers(1, 12))


def run_to(last: str, days: int) -> list[date]:
    return [on(last) - timedelta(days=n) for n in reversed(range(days))]


@pytest.mark.parametrize(
    ("last", "days", "month"),
    [
        ("2022-10-14", 9, None),
        ("2022-10-14", 10, NOVEMBER),
        ("2022-12-31", 10, Month(2023, 1)),
        ("2022-11-03", 13, NOVEMBER),
    ],
)
def test_the_day_that_reaches_ten_says_from_which_month(
    last: str, days: int, month: Month | None
) -> None:
    """The last case: thirteen days to 3 November reached ten on 31 October."""
    assert unpaid_from(run_to(last, days), rules()) == month


def test_a_region_s_number_of_days_is_a_row() -> None:
    own = rules("2022-01-03", row("salary.stop.running_days", "5", region="53.01"))

    assert unpaid_from(run_to("2022-10-14", 5), own) == NOVEMBER


@pytest.mark.parametrize("days", [["2022-10-04", "2022-10-03"], ["2022-10-03", "2022-10-03"]])
def test_dates_out_of_order_are_no_run(days: list[str]) -> None:
    with pytest.raises(ValueError, match="order"):
        unpaid_from([on(day) for day in days], rules())


def test_what_agrees_with_the_finding_needs_no_instruction() -> None:
    assert corrections({OCTOBER: "paid", NOVEMBER: "stopped"}, NOVEMBER) == []


def test_each_month_that_was_treated_wrongly_is_named() -> None:
    treated: Mapping[Month, Treated] = {
        DECEMBER: "paid", OCTOBER: "stopped", NOVEMBER: "stopped",
    }  # fmt: skip

    assert corrections(treated, NOVEMBER) == [
        Instruction("restore", OCTOBER),
        Instruction("return", DECEMBER),
    ]


def test_pay_goes_on_from_the_month_of_resumption() -> None:
    """Somebody works again: the month is paid, those before stay stopped."""
    treated: Mapping[Month, Treated] = {NOVEMBER: "stopped", DECEMBER: "stopped"}

    assert corrections(treated, NOVEMBER, resumes=DECEMBER) == [Instruction("restore", DECEMBER)]


TREATED = st.dictionaries(MONTHS, st.sampled_from(["paid", "stopped"]))


@for_all(TREATED, st.none() | MONTHS, st.none() | MONTHS)
def test_once_carried_out_the_same_finding_moves_no_money(
    treated: dict[Month, Treated], stops: Month | None, resumes: Month | None
) -> None:
    told = corrections(treated, stops, resumes)

    assert corrections(corrected(treated, told), stops, resumes) == []


@for_all(TREATED, st.none() | MONTHS, st.none() | MONTHS)
def test_a_finding_and_its_contrary_leave_nobody_richer(
    treated: dict[Month, Treated], one: Month | None, other: Month | None
) -> None:
    """Money moves back both ways: what stands in the end depends on the last finding alone."""
    there = corrected(treated, corrections(treated, other))
    back = corrected(there, corrections(there, one))

    assert back == corrected(treated, corrections(treated, one))
