"""Bad rows by the commands: named with file, line and reason, the rest loaded, exit codes kept."""

import csv
import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.system import broken, letters
from tests.system.broken import Place
from tests.system.merging import Merging
from tests.system.whole import Whole

pytestmark = pytest.mark.system


class Given(NamedTuple):
    """A broken dataset, and where its rows are bad and doubtful."""

    folder: Path
    bad: set[Place]
    doubtful: set[Place]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    folder = tmp_path_factory.mktemp("broken")
    return Given(folder, *broken.write(folder))


def test_every_kind_of_bad_row_is_named(whole: Whole, given: Given, tmp_path: Path) -> None:
    """Design 8.2, semantics A17: file, line, field and reason of each."""
    done = whole.tertib("preview", given.folder, "--out", tmp_path, "--json", code=1)
    findings = json.loads(done.stdout)["findings"]
    found = {severity: set[Place]() for severity in ("error", "warning")}
    for row in findings:
        found[row["severity"]].add((row["file"], row["line"], row["field"]))

    assert found["error"] == given.bad
    assert found["warning"] == given.doubtful
    assert all(row["reason"] for row in findings)


@pytest.mark.parametrize("lang", ["id", "en"])
def test_the_report_is_one_as_table_json_and_csv(
    whole: Whole, given: Given, tmp_path: Path, lang: str
) -> None:
    words = "preview", given.folder, "--out", tmp_path, "--lang", lang
    out = tmp_path / "report.csv"
    table = whole.tertib(*words, "--report", out, code=1, columns=500).stderr
    findings = json.loads(whole.tertib(*words, "--json", code=1).stdout)["findings"]

    with out.open(encoding="utf-8", newline="") as file:
        rows = [*csv.DictReader(file)]
    same = "file", "line", "field", "reason", "severity"
    assert [[row[n] for n in same] for row in rows] == [
        [str(row[n]) for n in same] for row in findings
    ]
    lines = [" ".join(line.split()) for line in table.splitlines()]
    for row in findings:
        begin, end = f"{row['file']}:{row['line']} ", row["reason"]
        assert any(line.startswith(begin) and line.endswith(end) for line in lines), row
    assert letters.PRIVATE not in table


def test_good_rows_are_loaded_beside_bad_ones(whole: Whole, given: Given, tmp_path: Path) -> None:
    Merging(first=70).write(given.folder, tmp_path / "dataset", "B~")
    said = whole.backfill(tmp_path / "dataset", code=1)

    assert said["rows"]["new facts"] > 0
    assert said["parked"] == 0
    people = {row["employee_id"] for row in whole.export("assessments")}
    assert {f"B~LTR-{number}" for number in (1, 2, 3, 6, 7, 8, 9)} <= people
    assert "B~LTR-5" not in people


def test_strict_loads_nothing(whole: Whole, given: Given, tmp_path: Path) -> None:
    before = whole.ends()
    Merging(first=75).write(given.folder, tmp_path / "dataset", "T~")
    said = whole.backfill(tmp_path / "dataset", "--strict", code=1)

    assert said["loaded"] is False
    assert len(said["findings"]) == len(given.bad | given.doubtful)
    assert whole.ends() == before


def test_what_cannot_be_loaded_at_all_is_exit_code_2(whole: Whole, tmp_path: Path) -> None:
    before = whole.ends()
    letters.write(tmp_path)
    (tmp_path / "shifts.csv").write_text("employee_id,date,schedule_id,recorded_at,remark\n")

    unknown = whole.backfill(tmp_path, code=2)
    missing = whole.tertib("backfill", tmp_path / "nowhere", code=2)

    assert unknown["loaded"] is False
    assert "remark" in json.dumps(unknown["findings"])
    assert "nowhere" in missing.stderr
    assert whole.ends() == before


def test_what_is_doubtful_alone_is_loaded_with_exit_code_0(whole: Whole, tmp_path: Path) -> None:
    letters.write(tmp_path)
    for file, line, _ in broken.DOUBTFUL:
        with (tmp_path / file).open("a") as out:
            out.write(line + "\n")
    done = whole.tertib("preview", tmp_path, "--out", tmp_path / "out", "--json", "--strict")

    findings = json.loads(done.stdout)["findings"]
    assert {row["severity"] for row in findings} == {"warning"}
    assert len(findings) == len(broken.DOUBTFUL)


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("excuses.csv", "01-08,2026-01-08,", "01-08,2026-01-09,", ("ExcuseRecorded", "last_on")),
        ("outages.csv", "01-10,2026-01-10,", "01-10,2026-01-12,", ("OutageDeclared", "ends_at")),
    ],
)
def test_what_was_published_otherwise_stops_the_load_and_both_are_named(  # noqa: PLR0913, PLR0917  (two fixtures)
    whole: Whole, office: Path, tmp_path: Path, file: str, old: str, new: str, named: tuple[str]
) -> None:
    """Never a silent choice between two letters, or outages, of one id."""
    again = shutil.copytree(office, tmp_path / "again")
    text = (again / file).read_text()
    assert text.count(old) == 1
    (again / file).write_text(text.replace(old, new))
    before = whole.ends()
    done = whole.tertib("backfill", again, code=2)

    assert whole.ends() == before
    assert f"{file}:2" in done.stderr
    assert "is published already and reads otherwise here; nothing was sent" in done.stderr
    for part in (*named, old[6:16], new[6:16]):
        assert part in done.stderr
    assert letters.PRIVATE not in done.stderr
