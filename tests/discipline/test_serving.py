"""Serving: spells never overlap, nothing is lost, and each edge by hand."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.discipline.domain.sanctions import order_of
from services.discipline.domain.serving import Spell, months_after, serve
from tests.discipline.tables import on, rules

ORDER = order_of(rules())
CUT_6, CUT_12 = "potong_tunjangan_25_6_bulan", "potong_tunjangan_25_12_bulan"
DEMOTION, RELEASE = "penurunan_jabatan_12_bulan", "pembebasan_jabatan_12_bulan"


def served(*falls: tuple[str, str]) -> list[tuple[str, str, str, bool]]:
    spells: tuple[Spell, ...] = ()
    for day, name in falls:
        spells = serve(spells, name, on(day), ORDER)
    return [(s.sanction.name, f"{s.starts_on}", f"{s.ends_on}", s.cut_short) for s in spells]


def test_a_reprimand_is_completed_when_it_takes_effect() -> None:
    """Annex ex. 22: a light sanction is finished when it is in force; it waits for nothing."""
    (spell,) = serve((), "teguran_lisan", on("2022-03-02"), ORDER)

    assert spell.standing(on("2022-03-01")) == "queued"
    assert spell.standing(on("2022-03-02")) == "completed"
    assert served(("2022-03-02", CUT_6), ("2022-04-01", "teguran_lisan")) == [
        (CUT_6, "2022-03-02", "2022-09-02", False),
        ("teguran_lisan", "2022-04-01", "2022-04-01", False),
    ]


def test_a_reprimand_stands_before_what_is_queued() -> None:
    falls = [("2022-03-02", DEMOTION), ("2022-05-02", CUT_6), ("2022-06-01", "teguran_lisan")]

    assert [each[0] for each in served(*falls)] == [DEMOTION, "teguran_lisan", CUT_6]


@pytest.mark.parametrize(
    ("second", "starts"), [("2022-09-01", "2022-09-02"), ("2022-09-02", "2022-09-02")]
)
def test_one_that_falls_on_the_last_day_or_after_it(second: str, starts: str) -> None:
    """Of equal weight: it waits. On the day after the last there is nothing to wait for."""
    (_, later) = served(("2022-03-02", CUT_6), (second, CUT_6))

    assert later[1] == starts


def test_a_later_sanction_starts_when_it_takes_effect() -> None:
    assert served(("2022-03-02", CUT_6), ("2023-01-05", CUT_6))[1][1] == "2023-01-05"


def test_what_was_queued_follows_the_heavier_one() -> None:
    falls = [("2022-03-02", DEMOTION), ("2022-05-02", CUT_6), ("2022-07-01", RELEASE)]

    assert served(*falls) == [
        (DEMOTION, "2022-03-02", "2022-07-01", True),
        (RELEASE, "2022-07-01", "2023-07-01", False),
        (CUT_6, "2023-07-01", "2024-01-01", False),
    ]


def test_two_lighter_ones_wait_in_the_order_they_fell() -> None:
    falls = [("2022-03-02", DEMOTION), ("2022-05-02", CUT_6), ("2022-07-01", CUT_12)]

    assert [each[1] for each in served(*falls)] == ["2022-03-02", "2023-03-02", "2023-09-02"]


def test_after_a_dismissal_nothing_is_served() -> None:
    """Derived: what runs is finished, what waited is never served."""
    falls = [("2022-03-02", DEMOTION), ("2022-05-02", CUT_6), ("2022-07-01", "pdhtaps")]

    assert served(*falls) == [
        (DEMOTION, "2022-03-02", "2022-07-01", True),
        ("pdhtaps", "2022-07-01", "2022-07-01", False),
        (CUT_6, "2022-07-01", "2022-07-01", True),
    ]


@pytest.mark.parametrize(
    ("day", "months", "after"),
    [
        ("2022-03-02", 6, "2022-09-02"),
        ("2022-08-31", 6, "2023-02-28"),
        ("2023-08-31", 6, "2024-02-29"),
        ("2022-12-01", 12, "2023-12-01"),
        ("2022-12-31", 1, "2023-01-31"),
        ("2022-11-30", 1, "2022-12-30"),
    ],
)
def test_months_end_on_the_same_day_or_the_last(day: str, months: int, after: str) -> None:
    assert months_after(on(day), months) == on(after)


SERVED = st.sampled_from([s.name for s in ORDER.types if s.months])


@for_all(st.lists(st.tuples(st.integers(0, 400), SERVED), max_size=8))
def test_spells_follow_one_another_and_none_is_lost(falls: list[tuple[int, str]]) -> None:
    day, spells = date(2022, 1, 3), tuple[Spell, ...]()
    for wait, name in falls:
        day += timedelta(days=wait)
        spells = serve(spells, name, day, ORDER)

    assert sorted(s.sanction.name for s in spells) == sorted(name for _, name in falls)
    assert all(a.ends_on <= b.starts_on for a, b in pairwise(spells))
    for spell in spells:
        full = months_after(spell.starts_on, spell.sanction.months or 0)
        assert spell.ends_on < full if spell.cut_short else spell.ends_on == full
