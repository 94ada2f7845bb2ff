"""Dated rows of rule data: which is in force, what is missing, what is refused."""

from dataclasses import replace
from datetime import date

import pytest

from services.discipline.domain.delivering import in_force_on
from services.discipline.domain.periods import Ground, due, period
from services.discipline.domain.rulebook import RuleBook, RuleMissingError
from services.discipline.rules.loading import UnreadableRulesError, national_defaults, rows_from
from tests.discipline.tables import CAL22, ground, on, row, rules

CUTOVER = date(2021, 8, 31)
GAP = "summons.gap"


def test_a_missing_row_names_key_region_and_date() -> None:
    """A gap in the tables is an error, never a silent fallback."""
    with pytest.raises(RuleMissingError, match=r"'no\.such'.*53\.01.*2022-01-03") as missing:
        rules().row("no.such")

    assert (missing.value.key, missing.value.region) == ("no.such", "53.01")
    assert missing.value.on == on("2022-01-03")


def test_an_act_before_the_law_has_no_rules() -> None:
    """PP 94/2021 is in force from 31 August 2021; PP 53/2010 has no rows here."""
    assert rules("2021-08-31").value(GAP) == "7 clear working days"
    with pytest.raises(RuleMissingError, match="2021-08-30"):
        rules("2021-08-30").value(GAP)


def test_a_row_holds_through_its_last_day() -> None:
    short = replace(row("k", "old"), valid_to=on("2022-06-30"))
    book = RuleBook([short])

    assert book.in_force("53.01", on("2022-06-30")).value("k") == "old"
    with pytest.raises(RuleMissingError):
        book.in_force("53.01", on("2022-07-01")).value("k")


def test_the_row_begun_last_holds() -> None:
    later = row(GAP, "5 clear working days", since="2022-07-01")

    assert rules("2022-06-30", later).value(GAP) == "7 clear working days"
    assert rules("2022-07-01", later).value(GAP) == "5 clear working days"


def test_a_region_goes_before_the_nation_even_with_an_older_row() -> None:
    own = row(GAP, "9 clear working days", region="53.01", since="2021-09-01")
    national = row(GAP, "5 clear working days", since="2022-01-01")

    assert rules("2022-02-01", own, national).value(GAP) == "9 clear working days"
    assert rules("2022-02-01", own, national, region="17.07").value(GAP) == "5 clear working days"


def test_a_region_whose_own_row_has_ended_has_the_national_one() -> None:
    own = replace(row(GAP, "9 clear working days", region="53.01"), valid_to=on("2021-12-31"))

    assert rules("2021-12-31", own).value(GAP) == "9 clear working days"
    assert rules("2022-01-01", own).value(GAP) == "7 clear working days"


def test_two_rows_that_begin_on_one_day_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'k' is given twice for 53\.01 from 2021-08-31"):
        RuleBook([row("k", "a", region="53.01"), row("k", "b", region="53.01")])


def test_a_row_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="'k' ends before it begins"):
        RuleBook([replace(row("k", "a"), valid_to=on("2021-08-30"))])


def test_a_date_carries_the_rule_and_the_calendar_it_was_counted_with() -> None:
    """Design 3: a due date is computed once, and written down with what it used."""
    own = row("in_force.basis", "15 days", region="53.01", since="2021-09-01")
    found = in_force_on(on("2022-02-08"), Ground(rules("2022-01-03", own), CAL22))

    assert found == (on("2022-02-23"), own, "SKB 2022")


@pytest.mark.parametrize("text", ["14", "0 days", "14 Days", "about 14 days", "14 working days "])
def test_what_is_no_period_is_refused_by_its_key(text: str) -> None:
    with pytest.raises(ValueError, match=r"'k\.limit' is not a period"):
        period("k.limit", rules("2022-01-03", row("k.limit", text)))


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("1 days", "2022-02-26"),
        ("1 working days", "2022-03-01"),
        ("1 clear working days", "2022-03-02"),
    ],
)
def test_the_three_units_of_a_period(text: str, end: str) -> None:
    """From Friday, 25 February 2022; Monday is a holiday on CAL22."""
    days = Ground(rules("2022-01-03", row("k.limit", text)), CAL22)

    assert due("k.limit", on("2022-02-25"), days).on == on(end)


def test_other_readings_name_the_key() -> None:
    odd = rules("2022-01-03", row("k", "some; ;more"))

    with pytest.raises(ValueError, match="'k' is not a whole number"):
        odd.number("k")
    with pytest.raises(ValueError, match="'k' is none of a, b"):
        odd.choice("k", "a", "b")
    with pytest.raises(ValueError, match="'k' has an empty item"):
        odd.items("k")


# The tables as shipped.


def test_nobody_has_signed_the_shipped_tables() -> None:
    """A lawyer or the BKPSDM signs; we do not. With a name in it, a row is signed."""
    shipped = national_defaults()

    assert shipped
    assert not any(each.signed for each in shipped)
    assert replace(shipped[0], approved_by="BKPSDM").signed


def test_every_shipped_row_says_its_basis_and_holds_from_the_cutover() -> None:
    for each in national_defaults():
        assert each.legal_basis.startswith(("PP ", "Peraturan BKN "))
        assert (each.region_code, each.valid_from) == ("NATIONAL", CUTOVER)


def test_without_one_shipped_row_its_reader_says_so() -> None:
    fewer = RuleBook(r for r in national_defaults() if r.rule_key != "in_force.basis")
    bare = replace(ground(), rules=fewer.in_force("53.01", on("2022-01-03")))

    with pytest.raises(RuleMissingError, match=r"in_force\.basis"):
        in_force_on(on("2022-02-08"), bare)


GOOD = """
- rule_key: k
  value: {value}
  region_code: "53.10"
  valid_from: 2022-01-01
  valid_to: ""
  legal_basis: Perbup
  confidence: {confidence}
  approved_by: ""
"""


def test_every_scalar_is_text() -> None:
    """`53.10` is no number, and `no` is no truth value (semantics A5)."""
    (read,) = rows_from(GOOD.format(value="no", confidence="default"))

    assert (read.value, read.region_code, read.valid_to) == ("no", "53.10", None)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("- a: [", "no YAML"),
        ("a: b", "not a list"),
        ("- rule_key: k", "row 1: its fields are not"),
        (GOOD.format(value='""', confidence="default"), "row 1: value is blank"),
        (GOOD.format(value="[a]", confidence="default"), "row 1: value is not text"),
        (GOOD.format(value="a", confidence="sure"), "row 1: confidence is not a mark"),
        (GOOD.format(value="a", confidence="default").replace("-01-01", "-13-01"), "row 1: "),
        (GOOD.format(value="a\n  value: b", confidence="default"), "given twice"),
    ],
)
def test_a_file_that_is_no_list_of_rows_is_refused(content: str, why: str) -> None:
    with pytest.raises(UnreadableRulesError, match=why):
        rows_from(content)
