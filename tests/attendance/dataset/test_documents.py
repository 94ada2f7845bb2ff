"""Schedules and rule sets: YAML, every scalar text (semantics A5), checked field by field."""

from datetime import date
from pathlib import Path

import pytest

from tests.attendance.dataset.making import RULES, SCHEDULE, bad_rows, errors, load, warnings

KANTOR, PP94 = "schedules/kantor.yaml", "rules/pp94.yaml"


def test_a_schedule_is_read_with_its_times_in_minutes(tmp_path: Path) -> None:
    (schedule,) = load(tmp_path).schedules

    assert schedule.content == {
        "id": "kantor",
        "regency": "*",
        "effective_from": date(2024, 1, 1),
        "slack_minutes": 30,
        "on_holidays": False,
        "week": {
            "mon": [
                {
                    "name": "masuk",
                    "opens": 390,
                    "due": 450,
                    "closes": 540,
                    "kind": "presence",
                    "direction": "in",
                }
            ]
        },
    }
    assert schedule.known == {"53.01": None, "17.07": None}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"09:00"', '"30:00"'),
        ("week:\n  mon:\n", "week: {}\nnote:\n"),
        ("slack_minutes: 30", "slack_minutes: '0'"),
        ("slack_minutes: 30", "on_holidays: TRUE\nslack_minutes: 30"),
        ("effective_from: 2024-01-01", "effective_from: '2024-01-01'"),
        ('"06:30"', "06:30"),  # A number of base sixty to YAML 1.1, here a time.
    ],
)
def test_schedules_may_be_written_so(tmp_path: Path, old: str, new: str) -> None:
    dataset = load(tmp_path, {KANTOR: SCHEDULE.replace(old, new)})

    assert errors(dataset) == []
    assert len(dataset.schedules) == 1


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("id: kantor\n", "", "id"),
        ('regency: "*"', 'regency: "53.99"', "regency"),
        ("2024-01-01", "2024-02-30", "effective_from"),
        ("2024-01-01", "2024-01-01T00:00", "effective_from"),
        ("slack_minutes: 30", "slack_minutes: -1", "slack_minutes"),
        ("slack_minutes: 30", "slack_minutes: [30]", "slack_minutes"),
        ("slack_minutes: 30", "on_holidays: maybe\nslack_minutes: 30", "on_holidays"),
        ("  mon:\n", "  senin:\n", "week.senin"),
        ('"06:30"', '"6.30"', "week.mon[0].opens"),
        ('"09:00"', '"06:29"', "week.mon[0].closes"),
        ('"09:00"', '"09:60"', "week.mon[0].closes"),
        ("presence", "hadir", "week.mon[0].kind"),
        (", direction: in", "", "week.mon[0].direction"),
        ("week:\n", "weeks:\n", "week"),
    ],
)
def test_a_schedule_that_cannot_be_read_says_where(
    tmp_path: Path, old: str, new: str, field: str
) -> None:
    dataset = load(tmp_path, {KANTOR: SCHEDULE.replace(old, new)})

    assert (KANTOR, 1, field) in errors(dataset)
    assert dataset.schedules == ()


@pytest.mark.parametrize(
    "content",
    [
        b"id: [",
        b"\xff\xfe",
        b"",
        b"- a list",
        b"just text",
        b"id: a\nid: b\n",
        b"id: a\n---\nid: b\n",
        b"? {a: b}\n: c\n",
    ],
)
def test_a_yaml_file_that_cannot_be_read_is_one_bad_row(tmp_path: Path, content: bytes) -> None:
    dataset = load(tmp_path, {"rules/a.yaml": content})

    assert [(file, line) for file, line, _ in errors(dataset)] == [("rules/a.yaml", 1)]
    assert len(dataset.rule_sets) == 1


def test_a_rule_set_is_read_with_its_defaults(tmp_path: Path) -> None:
    """Design 5: three workdays, one mark, a run crosses the year, lateness off."""
    (rules,) = load(tmp_path).rule_sets

    assert rules.content["counting"] == {
        "evidence_window_workdays": 3,
        "min_presence_marks": 1,
        "run_crosses_year": True,
        "lateness_day_minutes": None,
    }
    assert rules.content["legal_basis"] == ""
    assert rules.content["tiers"]["consecutive"] == []


def test_null_is_text_that_means_nothing(tmp_path: Path) -> None:
    counting = (
        "counting: {lateness_day_minutes: null, evidence_window_workdays: 0,"
        " run_crosses_year: false, min_presence_marks: 2}\n"
    )
    (rules,) = load(tmp_path, {PP94: RULES + counting}).rule_sets

    assert rules.content["counting"] == {
        "evidence_window_workdays": 0,
        "min_presence_marks": 2,
        "run_crosses_year": False,
        "lateness_day_minutes": None,
    }


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("version: 1\n", "version: 1.0\n", "version"),
        ("[PNS, CPNS]", "[PNS, HONORER]", "applies_to[1]"),
        ("[PNS, CPNS]", "PNS", "applies_to"),
        ("days: 3", "days: tiga", "tiers.cumulative[0].days"),
        ("days: 3", "days: 0", "tiers.cumulative[0].days"),
        ("ringan", "light", "tiers.cumulative[0].level"),
        (", article: a", "", "tiers.cumulative[0].article"),
        (
            "}]}",
            "}, {days: 3, level: berat, sanction: x, article: b}]}",
            "tiers.cumulative[1].days",
        ),
        ("tiers:", "counting: {lateness_day_minutes: 0}\ntiers:", "counting.lateness_day_minutes"),
        ("tiers:", "counting: []\ntiers:", None),
    ],
)
def test_a_rule_set_that_cannot_be_read_says_where(
    tmp_path: Path, old: str, new: str, field: str | None
) -> None:
    dataset = load(tmp_path, {PP94: RULES.replace(old, new)})

    assert errors(dataset) == ([] if field is None else [(PP94, 1, field)])
    assert len(dataset.rule_sets) == (field is None)


def test_a_misspelt_name_is_a_doubt(tmp_path: Path) -> None:
    """It would be lost in silence; what is needed is there, so the document is loaded."""
    dataset = load(tmp_path, {KANTOR: SCHEDULE + "on_holiday: true\n"})

    assert warnings(dataset) == [(KANTOR, 1, "on_holiday", "unknown_key")]
    assert dataset.schedules[0].content["on_holidays"] is False


def test_a_checkpoint_has_no_name_that_tables_would_split(tmp_path: Path) -> None:
    """What was missed is joined by semicolons, in exports and in the assessor's own rows."""
    dataset = load(tmp_path, {KANTOR: SCHEDULE.replace("name: masuk", "name: masuk;pagi")})

    assert (KANTOR, 1, "week.mon[0].name") in errors(dataset)
    assert [*dataset.schedules] == []


def test_an_hour_outside_its_window_is_a_doubt(tmp_path: Path) -> None:
    dataset = load(tmp_path, {KANTOR: SCHEDULE.replace('"07:30"', '"09:30"')})

    assert warnings(dataset) == [(KANTOR, 1, "week.mon[0].due", "due_outside")]


def test_documents_may_become_known_later_each_regency_in_its_own_zone(tmp_path: Path) -> None:
    """Semantics A3, A6: a decree of wider scope is one fact per regency."""
    later = SCHEDULE + 'recorded_at: "2026-01-08T10:00"\n'

    (schedule,) = load(tmp_path, {KANTOR: later}).schedules

    makassar, jakarta = schedule.known["53.01"], schedule.known["17.07"]
    assert makassar is not None
    assert jakarta is not None
    assert jakarta - makassar == 3600


def test_the_same_rule_set_with_other_content_is_bad_and_names_both(tmp_path: Path) -> None:
    """The first by file name stands; said again with the same content it is no news."""
    other = RULES.replace("days: 3", "days: 4")
    files = {"rules/a.yaml": RULES, "rules/b.yaml": other, "rules/c.yaml": RULES, PP94: None}

    dataset = load(tmp_path, files)

    (bad,) = bad_rows(dataset)
    assert (bad.file, bad.value) == ("rules/b.yaml", "pp94@1")
    assert "rules/a.yaml" in bad.reason
    assert [d.file for d in dataset.rule_sets] == ["rules/a.yaml", "rules/c.yaml"]


def test_a_regencys_own_version_beside_the_national_one_contradicts_nothing(
    tmp_path: Path,
) -> None:
    own = RULES.replace('"*"', '"53.01"').replace("days: 3", "days: 4")

    assert errors(load(tmp_path, {"rules/own.yaml": own})) == []
