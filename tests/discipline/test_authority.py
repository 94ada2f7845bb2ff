"""Who examines and who punishes: the authority table, posts that are vacant, routes."""

import pytest

from services.discipline.domain.authority import (
    NobodyMayPunishError,
    Post,
    direct_superior,
    grants_of,
    next_above,
    who_may_punish,
)
from services.discipline.domain.examining import examination
from services.discipline.domain.rulebook import RuleMissingError, Rules
from services.discipline.domain.sanctions import Sanction, order_of
from tests.discipline.tables import ADMINISTRATOR, CHAIN, HEAD, PENGAWAS, REGENT, row, rules

ORAL, CUT, DEMOTION, DISMISSAL = (
    order_of(rules()).named(name)
    for name in (
        "teguran_lisan",
        "potong_tunjangan_25_6_bulan",
        "penurunan_jabatan_12_bulan",
        "pdhtaps",
    )
)
ABOVE = {"PELAKSANA": CHAIN, "PENGAWAS": CHAIN[1:], "ADMINISTRATOR": CHAIN[2:]}
VACANT = Post("PENGAWAS", None)


@pytest.mark.parametrize(
    ("whom", "sanction", "who"),
    [
        ("PELAKSANA", ORAL, (PENGAWAS,)),
        ("PELAKSANA", CUT, (ADMINISTRATOR, REGENT)),
        ("PELAKSANA", DISMISSAL, (REGENT,)),
        ("PENGAWAS", ORAL, (ADMINISTRATOR,)),
        ("PENGAWAS", CUT, (HEAD, REGENT)),
        ("ADMINISTRATOR", ORAL, (HEAD,)),
        ("ADMINISTRATOR", CUT, (REGENT,)),
        ("ADMINISTRATOR", DEMOTION, (REGENT,)),
    ],
)
def test_the_table_of_a_regency(whom: str, sanction: Sanction, who: tuple[Post, ...]) -> None:
    """One level below light, two below medium; the PPK medium and heavy; lowest first."""
    assert who_may_punish(whom, sanction, ABOVE[whom], rules()) == who


@pytest.mark.parametrize(("sanction", "may"), [(ORAL, True), (DEMOTION, True), (DISMISSAL, False)])
def test_the_regent_may_all_but_dismiss_a_functional_of_the_highest_grade(
    sanction: Sanction, *, may: bool
) -> None:
    grants = grants_of(REGENT.office, rules())

    assert any(grant.covers("JF_AHLI_UTAMA", sanction) for grant in grants) is may


def test_a_vacant_post_leaves_its_power_to_the_next_higher() -> None:
    """Annex ex. 8: used for this rule only, its sanction is known to be wrong."""
    chain = (VACANT, ADMINISTRATOR, HEAD, REGENT)
    found = examination("PELAKSANA", ORAL, chain, rules())

    assert direct_superior(chain) == ADMINISTRATOR
    assert found.deciders == (ADMINISTRATOR,)
    assert not found.goes_up


def test_two_powers_that_fall_to_one_post_are_one() -> None:
    chain = (PENGAWAS, Post("ADMINISTRATOR", None), Post("JPT_PRATAMA", None), REGENT)

    assert who_may_punish("PELAKSANA", CUT, chain, rules()) == (REGENT,)


def test_a_vacant_post_without_the_power_gives_none() -> None:
    chain = (VACANT, ADMINISTRATOR, HEAD, REGENT)

    assert who_may_punish("PELAKSANA", CUT, chain, rules()) == (ADMINISTRATOR, REGENT)


@pytest.mark.parametrize(
    ("route", "who"),
    [("all", (ADMINISTRATOR, REGENT)), ("lowest", (ADMINISTRATOR,)), ("highest", (REGENT,))],
)
def test_a_region_may_settle_the_route(route: str, who: tuple[Post, ...]) -> None:
    """Two offices hold medium in a regency; both are offered until the region says which."""
    own = rules("2022-01-03", row("authority.route", route, region="53.01"))

    assert who_may_punish("PELAKSANA", CUT, CHAIN, own) == who


@pytest.mark.parametrize("chain", [(PENGAWAS,), (PENGAWAS, Post("PPK_KABUPATEN_KOTA", None)), ()])
def test_nobody_may_punish_is_said(chain: tuple[Post, ...]) -> None:
    with pytest.raises(NobodyMayPunishError, match="penurunan_jabatan_12_bulan on PELAKSANA"):
        who_may_punish("PELAKSANA", DEMOTION, chain, rules())


def test_an_office_without_a_row_is_a_gap_in_the_table() -> None:
    with pytest.raises(RuleMissingError, match=r"authority\.CAMAT"):
        who_may_punish("PELAKSANA", ORAL, (Post("CAMAT", "x"), REGENT), rules())


def test_the_superior_of_a_post_is_the_next_that_is_held() -> None:
    chain = (PENGAWAS, Post("ADMINISTRATOR", None), HEAD)

    assert next_above(PENGAWAS, chain) == HEAD
    with pytest.raises(NobodyMayPunishError, match="JPT_PRATAMA"):
        next_above(HEAD, chain)
    with pytest.raises(NobodyMayPunishError, match="all posts"):
        direct_superior((VACANT,))


@pytest.mark.parametrize(
    "text",
    [
        "PELAKSANA ringan",
        ": ringan",
        "PELAKSANA:",
        "PELAKSANA: ringan,",
        "PELAKSANA: berat but ",
        "PELAKSANA: berat but berat",
        "PELAKSANA: rigan",
    ],
)
def test_a_grant_that_cannot_be_read_is_refused_by_its_key(text: str) -> None:
    with pytest.raises(ValueError, match=r"authority\.PENGAWAS"):
        grants_of("PENGAWAS", own_row("authority.PENGAWAS", text))


def own_row(key: str, text: str) -> Rules:
    return rules("2022-01-03", row(key, text, region="53.01"))


@pytest.mark.parametrize(
    ("sanction", "need", "elements"), [(ORAL, "none", 0), (CUT, "may", 3), (DEMOTION, "must", 3)]
)
def test_the_heavier_the_case_the_more_a_team_is_needed(
    sanction: Sanction, need: str, elements: int
) -> None:
    """PP 94/2021 Pasal 29: light alone, medium may, heavy must."""
    found = examination("PELAKSANA", sanction, CHAIN, rules())

    assert (found.team_need, len(found.team)) == (need, elements)
