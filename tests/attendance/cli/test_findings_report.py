"""The findings as a table, as JSON, and as a CSV to hand back."""

import csv
import io

import pytest
from rich.console import Console

from services.attendance.cli import findings_report
from services.attendance.dataset.findings import LONGEST_VALUE, Finding, Findings
from services.attendance.dataset.reasons import _SENTENCES, LANGUAGES, sentence

BAD = Finding("calendar.csv", 2, "kind", "pesta", "not_one_of", details={"allowed": "a, b"})
NIP = Finding("employees.csv", 3, "nip", "19800101200501", "doubtful_nip", "warning")
FORMULA = Finding("excuses.csv", 4, "from", "=1+1", "not_a_date")
ROW = Finding("employees.csv", 5, "", "A,19800101,Ani", "not_utf8")


def test_rows_have_the_columns_of_the_contract() -> None:
    assert findings_report.rows_of([BAD]) == [
        {
            "file": "calendar.csv",
            "line": 2,
            "field": "kind",
            "value": "pesta",
            "reason": "is none of a, b",
            "severity": "error",
        }
    ]


def test_the_csv_gives_values_as_they_came_and_no_formula_to_a_spreadsheet() -> None:
    out = io.StringIO(newline="")
    findings_report.write_csv([BAD, NIP, FORMULA], out)

    assert "\r" not in out.getvalue()
    found = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert list(found[0]) == ["file", "line", "field", "value", "reason", "severity"]
    assert [row["value"] for row in found] == ["pesta", "19800101200501", "'=1+1"]


def test_screens_show_little_of_a_personal_value() -> None:
    assert [row["value"] for row in findings_report.rows_of([NIP, ROW])] == ["1980…", "A,…"]
    assert [row["value"] for row in findings_report.rows_of([NIP, ROW], whole=True)] == [
        "19800101200501",
        "A,19800101,Ani",
    ]


def test_the_table_says_it_in_indonesian_too() -> None:
    console = Console(file=io.StringIO(), width=160)
    findings_report.show([BAD, NIP], console, "id")
    shown = console.file.getvalue()  # type: ignore[attr-defined]  # It is a StringIO.

    assert "bukan salah satu dari a, b" in shown
    assert "meragukan" in shown
    assert "19800101200501" not in shown


def test_no_findings_no_table() -> None:
    console = Console(file=io.StringIO())
    findings_report.show([], console)

    assert console.file.getvalue() == ""  # type: ignore[attr-defined]  # It is a StringIO.


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", sorted(_SENTENCES))
def test_every_reason_has_a_sentence_in_both_languages(code: str, language: str) -> None:
    names = ("found", "expected", "count", "allowed", "first", "other", "least", "conflict")
    details = {"what": "unit", **dict.fromkeys(names, "7")}

    assert "{" not in sentence(code, language, details)


def test_a_very_long_value_is_cut() -> None:
    findings = Findings()
    findings.error(("a.csv", 2), "", "x" * 1000, "wrong_cell_count", found="1", expected="2")

    assert len(next(iter(findings)).value) == LONGEST_VALUE + 1
