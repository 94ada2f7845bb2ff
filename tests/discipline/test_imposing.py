"""The order of the sanctions, and what is imposed: of several, again, for neglect."""

import pytest

from services.discipline.domain.authority import NobodyMayPunishError
from services.discipline.domain.imposing import Imposition, Violation, imposition, neglect
from services.discipline.domain.sanctions import order_of
from tests.discipline.tables import CHAIN, HEAD, PENGAWAS, REGENT, row, rules

ORAL, WRITTEN, DISSATISFACTION = "teguran_lisan", "teguran_tertulis", "pernyataan_tidak_puas"
CUT_6, CUT_12 = "potong_tunjangan_25_6_bulan", "potong_tunjangan_25_12_bulan"


def imposed(*violations: Violation) -> tuple[str, str | None]:
    found: Imposition = imposition(violations, rules())
    return found.sanction.name, found.review


def test_three_levels_of_three() -> None:
    """PP 94/2021 Pasal 9-11."""
    levels = [sanction.level for sanction in order_of(rules()).types]

    assert levels == ["ringan"] * 3 + ["sedang"] * 3 + ["berat"] * 3


def test_months_are_those_of_the_names() -> None:
    months = {sanction.name: sanction.months for sanction in order_of(rules()).types}

    assert (months[ORAL], months[CUT_6], months[CUT_12]) == (0, 6, 12)
    assert months["pdhtaps"] is None


def test_absences_punished_before_bring_no_more_than_the_ladder() -> None:
    """Peraturan BKN 6/2022 Pasal 46(7): punished days are in the yearly sum already."""
    assert imposed(Violation("attendance", WRITTEN, last=WRITTEN)) == (WRITTEN, None)
    assert imposed(Violation("conduct", WRITTEN, last=WRITTEN)) == (DISSATISFACTION, None)


def test_what_is_asked_stands_if_it_is_heavier_than_the_last() -> None:
    assert imposed(Violation("conduct", CUT_6, last=ORAL)) == (CUT_6, None)


def test_the_last_counts_also_if_it_was_heavier_than_what_is_asked() -> None:
    assert imposed(Violation("conduct", ORAL, last=WRITTEN)) == (DISSATISFACTION, None)


def test_a_repetition_makes_its_violation_the_heaviest() -> None:
    several = [Violation("attendance", WRITTEN), Violation("conduct", ORAL, last=WRITTEN)]

    assert imposed(*several) == (DISSATISFACTION, None)


@pytest.mark.parametrize(
    ("last", "sanction", "review"),
    [
        (DISSATISFACTION, CUT_6, "crosses_level"),
        (CUT_12, "penurunan_jabatan_12_bulan", "crosses_level"),
        ("pdhtaps", "pdhtaps", "nothing_heavier"),
    ],
)
def test_what_no_example_settles_goes_to_review(last: str, sanction: str, review: str) -> None:
    assert imposed(Violation("conduct", ORAL, last=last)) == (sanction, review)
    found = neglect(last, PENGAWAS, CHAIN, rules())
    assert (found.superior.sanction.name, found.superior.review) == (sanction, review)


def test_a_region_may_name_other_types_of_a_level() -> None:
    """The transitional types of PP 94/2021 Pasal 42 are a row, not a release."""
    own = row("sanction.map.sedang", "penundaan_kgb 12 months", region="53.01")
    found = imposition(
        [Violation("conduct", ORAL, last=DISSATISFACTION)], rules("2022-01-03", own)
    )

    assert found.sanction.name == "penundaan_kgb"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("teguran_lisan for ever", "names no sanction"),
        ("a b months", "names no sanction"),
        ("pdhtaps", "named twice: pdhtaps"),
    ],
)
def test_types_that_cannot_be_read_are_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        order_of(rules("2022-01-03", row("sanction.map.ringan", text, region="53.01")))


def test_a_sanction_that_the_tables_do_not_know_is_refused() -> None:
    with pytest.raises(LookupError, match="'ptdh'"):
        imposed(Violation("conduct", "ptdh"))


def test_without_a_violation_there_is_no_sanction() -> None:
    with pytest.raises(ValueError, match="violation"):
        imposed()


def test_above_the_highest_post_nobody_acts() -> None:
    assert neglect(WRITTEN, HEAD, CHAIN, rules()).acting == REGENT
    with pytest.raises(NobodyMayPunishError, match="PPK_KABUPATEN_KOTA"):
        neglect(WRITTEN, REGENT, CHAIN, rules())
