"""Days explained to the person, from the running stack."""

import json
from pathlib import Path

import pytest

from tests.system.letters import EXPLAINED
from tests.system.whole import Whole

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("office")]


def test_every_status_is_told_with_its_reason_and_its_remedy(whole: Whole) -> None:
    done = whole.tertib("explain", EXPLAINED, "--year", "2026", "--lang", "en", "--json")
    days = {day["date"]: day for day in json.loads(done.stdout)}

    assert {on: day["status"] for on, day in days.items()} == {
        "2026-01-05": "unexcused",
        "2026-01-06": "unexcused",
        "2026-01-07": "unexcused",
        "2026-01-08": "excused",
        "2026-01-09": "present",
        "2026-01-12": "present",
        "2026-01-13": "present",
        "2026-01-14": "present",
        "2026-01-15": "pending",
        "2026-01-16": "present",
    }
    assert days["2026-01-09"]["late_minutes"] == 15
    assert days["2026-01-08"]["excuse_id"] == "LTR-X"
    assert [days[f"2026-01-0{n}"]["number"] for n in (5, 6, 7)] == [1, 2, 3]
    third = " ".join(days["2026-01-07"]["why"])
    assert "9(2) b" in third
    assert "teguran lisan" in third
    assert all(day["what_would_change_it"] for day in days.values())


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("id", ["Tanpa keterangan", "Pasal 9(2) b", "teguran lisan", "LTR-X", "15 menit"]),
        ("en", ["Unexcused", "9(2) b", "LTR-X", "15 minutes"]),
    ],
)
def test_it_reads_in_both_languages(whole: Whole, lang: str, words: list[str]) -> None:
    words_of = "explain", EXPLAINED, "--year", "2026", "--lang", lang
    text = whole.tertib(*words_of, columns=400).stdout  # No sentence is broken.

    assert [word for word in words if word.lower() not in text.lower()] == []


def test_indonesian_is_what_one_gets_without_asking(whole: Whole) -> None:
    asked = whole.tertib("explain", EXPLAINED, "--year", "2026", "--lang", "id").stdout

    assert whole.tertib("explain", EXPLAINED, "--year", "2026").stdout == asked


def test_who_is_not_known_and_what_is_not_spoken_ends_with_a_sentence(
    whole: Whole, tmp_path: Path
) -> None:
    nobody = whole.tertib("explain", "LTR-99", "--year", "2026", code=2)
    klingon = whole.tertib("explain", EXPLAINED, "--year", "2026", "--lang", "tlh", code=2)

    assert "LTR-99" in nobody.stderr
    assert "tlh" in klingon.stderr
    assert nobody.stdout == klingon.stdout == ""
