"""The texts: complete, the same in both languages, and filled without a hole."""

import string
from collections.abc import Sequence

import pytest

from services.notifications.domain import Heard
from services.notifications.policy import AUDIENCE, details_of
from services.notifications.rendering import LANGUAGES, Language, render, templates, terms
from shared.events.discipline import SanctionProposalReinstated
from tests.notifications.examples import proposed, reached, retracted, review, withdrawn

NAMES = {"recipient": "the recipient", "name": "the person", "about_event_id": "/discipline/A@1"}
REINSTATED = Heard("r", SanctionProposalReinstated(**withdrawn().said.model_dump()))
NEWS: Sequence[Heard] = (reached(), retracted(), proposed(), withdrawn(), REINSTATED, review())
SAYS = {template: heard for heard in NEWS for _, template in AUDIENCE[type(heard.said)]}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_there_is_a_text_for_each_template_and_none_that_nobody_uses() -> None:
    wanted = {template for audience in AUDIENCE.values() for _, template in audience}

    assert wanted == set(SAYS)
    for language in LANGUAGES:
        assert set(templates(language)) == wanted


def test_both_languages_ask_for_the_same() -> None:
    for name, text in templates("id").items():
        assert placeholders(text) == placeholders(templates("en")[name]), name


def test_both_languages_know_the_same_terms() -> None:
    keys = [
        {(kind, code) for kind in terms(each) for code in terms(each)[kind]} for each in LANGUAGES
    ]

    assert keys[0] == keys[1]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", sorted(SAYS))
def test_each_text_is_filled_from_what_its_event_carries(
    template: str, language: Language
) -> None:
    details = details_of(SAYS[template].said)

    text = render(template, details, NAMES, language)

    assert "{" not in text.subject + text.body
    assert "\n" not in text.subject
    assert "the recipient" in text.body
    assert "_" not in text.body.replace("about_event_id", "")
    unused = set(details) - placeholders(templates(language)[template])
    assert unused <= {"year", "case_id", "sanction"} - {"sanction"}, unused


def test_a_notice_of_a_threshold_reads_in_full() -> None:
    text = render("threshold-reached", details_of(reached().said), NAMES, "id")

    assert text.subject == "Pemberitahuan ketidakhadiran tanpa keterangan tahun 2026"
    assert "- 5 Januari 2026\n- 6 Januari 2026\n- 7 Januari 2026" in text.body
    assert "tingkat ringan berupa teguran lisan" in text.body
    assert "bukan hukuman disiplin dan bukan keputusan" in text.body


def test_a_sanction_that_no_file_knows_is_said_as_it_is() -> None:
    details = details_of(proposed().said) | {"sanction": "tunda_kgb_1_tahun"}

    assert "berupa tunda kgb 1 tahun" in render("sanction-proposed", details, NAMES, "id").body


def test_a_count_of_lateness_alone_names_no_day() -> None:
    details = details_of(reached().said) | {"dates": ""}

    text = render("threshold-reached", details, NAMES, "en")

    assert "(counted from accumulated lateness)" in text.body


def test_a_template_that_there_is_not_is_an_error() -> None:
    with pytest.raises(LookupError):
        render("letter", {}, NAMES, "id")
