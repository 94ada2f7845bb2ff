"""Summons, delivery, remedies: the edges that no acceptance vector has."""

import pytest

from services.discipline.domain.delivering import receipt_on
from services.discipline.domain.periods import Ground
from services.discipline.domain.remedies import remedy_against, remedy_limits
from services.discipline.domain.sanctions import order_of
from services.discipline.domain.summoning import after_no_show, gap
from tests.discipline.tables import CAL22, calendar, ground, on, row, rules

DECIDED, RECEIVED = on("2022-02-01"), on("2022-02-08")


@pytest.mark.parametrize(
    ("examined", "clear", "warning"),
    [("2022-10-14", 6, "short"), ("2022-10-17", 7, None), ("2022-10-18", 8, "long")],
)
def test_a_gap_other_than_the_table_s_is_a_warning(
    examined: str, clear: int, warning: str | None
) -> None:
    """Pasal 26 is read both ways, at most and at least seven: neither is refused."""
    found = gap(on("2022-10-05"), on(examined), ground(calendar()))

    assert (found.clear_days, found.warning) == (clear, warning)


def test_a_gap_in_another_unit_cannot_be_compared() -> None:
    own = rules("2022-01-03", row("summons.gap", "7 working days", region="53.01"))

    with pytest.raises(ValueError, match=r"summons\.gap"):
        gap(on("2022-10-05"), on("2022-10-17"), Ground(own, CAL22))


def test_nobody_stays_away_without_a_letter() -> None:
    with pytest.raises(ValueError, match="letter"):
        after_no_show(0, rules())


def test_the_clock_of_who_came_runs_from_the_call() -> None:
    assert receipt_on(RECEIVED, came=True, arrived_on=None) == RECEIVED


def test_no_clock_runs_before_receipt() -> None:
    assert receipt_on(RECEIVED, came=False, arrived_on=None) is None
    with pytest.raises(ValueError, match="before the call"):
        receipt_on(RECEIVED, came=False, arrived_on=DECIDED)


@pytest.mark.parametrize(
    ("name", "by_ppk", "remedy"),
    [
        ("pdhtaps", True, "appeal"),
        ("pdhtaps", False, "objection"),
        ("penurunan_jabatan_12_bulan", True, "objection"),
        ("potong_tunjangan_25_6_bulan", False, "objection"),
        ("teguran_lisan", False, "objection"),
    ],
)
def test_only_a_dismissal_by_the_ppk_goes_to_the_board(
    name: str, remedy: str, *, by_ppk: bool
) -> None:
    """PP 79/2021 Pasal 1(4), (5)."""
    sanction = order_of(rules()).named(name)

    assert remedy_against(sanction, by_ppk=by_ppk, rules=rules()) == remedy


def test_a_region_may_shut_out_objections_to_light_sanctions() -> None:
    own = rules("2022-01-03", row("objection.light", "excluded", region="53.01"))
    types = order_of(own)
    remedies = [
        remedy_against(types.named(name), by_ppk=False, rules=own)
        for name in ("teguran_lisan", "potong_tunjangan_25_6_bulan")
    ]

    assert remedies == [None, "objection"]


def test_an_objection_has_one_last_day() -> None:
    """From receipt alone: both days are one, 14 working days after 8 February on CAL22."""
    limits = remedy_limits("objection", DECIDED, RECEIVED, ground(CAL22))

    assert limits.safe == limits.admissible
    assert limits.safe.on == on("2022-03-01")


@pytest.mark.parametrize(("start", "end"), [("decided", "2022-02-21"), ("received", "2022-03-01")])
def test_a_region_may_settle_the_start_of_an_appeal(start: str, end: str) -> None:
    own = rules("2022-01-03", row("appeal.start", start, region="53.01"))
    limits = remedy_limits("appeal", DECIDED, RECEIVED, Ground(own, CAL22))

    assert [limits.safe.on, limits.admissible.on] == [on(end), on(end)]
