import csv
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.oracle import steps
from tests.oracle.compare import differences
from tests.oracle.datasets import SPICES, write_dataset
from tests.oracle.facts import Fact
from tests.oracle.judging import judge
from tests.oracle.lookups import View
from tests.oracle.reading import read_dataset
from tests.oracle.steps import Subject


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def judged(folder: Path, seed: int, out: Path, people: int = 8, days: int = 40) -> None:
    through = write_dataset(folder, seed, people, days)
    judge(folder, through, out)


def test_one_seed_makes_one_dataset(tmp_path: Path) -> None:
    """The same seed gives the same bytes, another seed other bytes."""
    for name, seed in (("one", 7), ("same", 7), ("other", 8)):
        write_dataset(tmp_path / name, seed, 6, 20)

    assert contents(tmp_path / "one") == contents(tmp_path / "same")
    assert contents(tmp_path / "one") != contents(tmp_path / "other")


def test_a_spice_can_be_left_out(tmp_path: Path) -> None:
    """Without its spice a hard thing is not there, and the places are made as before."""
    write_dataset(tmp_path / "all", 3, 6, 20)
    write_dataset(tmp_path / "calm", 3, 6, 20, SPICES - {"outages", "bad rows"})

    assert (tmp_path / "all" / "outages.csv").is_file()
    assert not (tmp_path / "calm" / "outages.csv").exists()
    assert read_dataset(tmp_path / "calm").bad == []
    devices = rows(tmp_path / "calm" / "devices.csv")
    assert [row for row in rows(tmp_path / "all" / "devices.csv") if row in devices] == devices


def test_random_datasets_reach_every_state(tmp_path: Path) -> None:
    """Over a few seeds every status, state and measure occurs, or the comparison proves little."""
    seen: Counter[tuple[str, str]] = Counter()
    for seed in range(4):
        out = tmp_path / f"out {seed}"
        judged(tmp_path / f"data {seed}", seed, out, 10, 50)
        columns = {"assessments": ["status"], "thresholds": ["measure", "state"]}
        for table, names in {**columns, "proposals": ["state", "level"]}.items():
            for row in rows(out / f"{table}.csv"):
                seen.update((name, row[name]) for name in names)

    statuses = ("present", "excused", "held", "pending", "unexcused", "off")
    assert {value for name, value in seen if name == "status"} == set(statuses)
    states = ("active", "retracted", "proposed", "superseded", "withdrawn")
    assert {value for name, value in seen if name == "state"} == set(states)
    assert {value for name, value in seen if name == "measure"} == {"cumulative", "consecutive"}
    assert {value for name, value in seen if name == "level"} == {"ringan", "sedang", "berat"}


@pytest.mark.parametrize("seed", range(3))
def test_what_is_remembered_changes_nothing(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking everything up anew for everybody after every fact gives the same tables."""
    judged(tmp_path / "data", seed, tmp_path / "quick", 4, 15)

    def forgetful(subject: Subject, _: Fact) -> bool:
        subject.view = View(subject.view.world, subject.person)
        return True

    monkeypatch.setattr(steps, "may_matter", forgetful)
    judged(tmp_path / "data", seed, tmp_path / "slow", 4, 15)

    assert differences(tmp_path / "quick", tmp_path / "slow") == []


@pytest.mark.parametrize("seed", range(3))
def test_late_punches_change_no_status_in_the_end(seed: int, tmp_path: Path) -> None:
    """Once all windows have ended, it does not matter when a punch arrived (A13).

    A PIN that comes late does matter: it never takes a check-in from another person (A8).
    """
    spice = SPICES - {"late uploads", "late pins", "bad rows"}
    through = write_dataset(tmp_path / "data", seed, 8, 40, spice)
    later = through + timedelta(days=30)
    judge(tmp_path / "data", later, tmp_path / "early")
    with (tmp_path / "data" / "late-uploads.csv").open("w") as file:
        file.write("serial,from,to,received_at\n")
        for number, row in enumerate(rows(tmp_path / "data" / "devices.csv")):
            for first in range(number % 3, 40, 5):
                begins, received = through - timedelta(days=first), first * 7 % 20
                arrives = begins + timedelta(days=received)
                file.write(f"{row['serial']},{begins},{begins},{arrives}T23:00:00\n")
    judge(tmp_path / "data", later, tmp_path / "late")

    assert differences(tmp_path / "early", tmp_path / "late") != []
    assert outcomes(tmp_path / "early", through) == outcomes(tmp_path / "late", through)


def outcomes(folder: Path, through: date) -> list[tuple[str, ...]]:
    """Give what was said last of each day up to a date, without the number of revisions."""
    return [
        tuple(cell for name, cell in row.items() if name != "revision")
        for row in rows(folder / "assessments.csv")
        if row["date"] <= through.isoformat()
    ]


@pytest.mark.parametrize("seed", range(3))
def test_at_most_one_proposal_of_a_case_is_open(seed: int, tmp_path: Path) -> None:
    """Of several the heaviest stands (design 6), and none where no threshold is active."""
    judged(tmp_path / "data", seed, tmp_path / "out")
    proposals = rows(tmp_path / "out" / "proposals.csv")
    cases = Counter(row["case_id"] for row in proposals if row["state"] == "proposed")

    assert max(cases.values()) == 1
    for row in proposals:
        if row["state"] == "superseded":
            assert cases[row["case_id"]] == 1


def test_a_difference_is_said_with_both_sides(tmp_path: Path) -> None:
    """Order and case names are free; a changed cell and a shared case are not."""
    judged(tmp_path / "data", 1, tmp_path / "left")
    judged(tmp_path / "data", 1, tmp_path / "right")
    path = tmp_path / "right" / "proposals.csv"
    header, *lines = path.read_text().splitlines()
    renamed = [f"case of {line}" for line in reversed(lines)]
    path.write_text("\n".join([header, *renamed]) + "\n")
    assert differences(tmp_path / "left", tmp_path / "right") == []

    merged = [",".join(["one", *line.split(",")[1:]]) for line in lines]
    path.write_text("\n".join([header, *merged]) + "\n")
    assert "share a case" in differences(tmp_path / "left", tmp_path / "right")[0]

    (tmp_path / "right" / "assessments.csv").write_text(
        (tmp_path / "left" / "assessments.csv").read_text().replace("unexcused", "pending", 1)
    )
    found = differences(tmp_path / "left", tmp_path / "right")[0]
    assert "status=unexcused" in found
    assert "status=pending" in found
