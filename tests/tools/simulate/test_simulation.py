"""Simulated datasets: the same by seed, valid in form, plausible, with the hard cases in them."""

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from services.attendance.dataset import nip
from services.attendance.dataset.dataset import Dataset
from services.attendance.dataset.reader import read_dataset
from tests.attendance.dataset.making import bad_rows
from tools.simulate.calendar import Calendar
from tools.simulate.places import DEMO, RegencySpec
from tools.simulate.simulation import simulate


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulate the demo: a quarter of four regencies and 400 people."""
    out = tmp_path_factory.mktemp("simulated") / "quarter"
    simulate(out, 400, 90, 1)
    return out


@pytest.fixture(scope="module")
def dataset(quarter: Path) -> Dataset:
    return read_dataset(quarter)


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes_and_another_others(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        simulate(tmp_path / name, 50, 30, seed)

    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "c")


@pytest.mark.parametrize(("employees", "days"), [(1, 1), (3, 45), (37, 7), (200, 2)])
def test_any_size_can_be_read_without_a_bad_row(tmp_path: Path, employees: int, days: int) -> None:
    simulated = simulate(tmp_path / "out", employees, days, 5, flawless=True)
    dataset = read_dataset(tmp_path / "out")

    assert bad_rows(dataset) == []
    assert len({line.employee_id for line in dataset.employees}) == employees
    assert simulated.employees == employees


def test_what_is_simulated_is_said(quarter: Path, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    simulated = simulate(
        tmp_path / "out", 400, 90, 1, progress=lambda done, of: heard.append((done, of))
    )

    lines = sum(len(p.read_bytes().splitlines()) for p in (quarter / "attlog").iterdir())
    assert simulated.through == date(2026, 3, 31)
    assert simulated.punches == lines
    assert simulated.check_ins == len(table(quarter, "check-ins"))
    assert heard[-1] == (simulated.machines, simulated.machines)


def test_the_demo_has_its_four_regencies_and_their_hours(dataset: Dataset) -> None:
    zones = {r.code: r.timezone for r in dataset.regencies.values()}
    people = Counter(line.regency for line in dataset.employees)

    assert zones == {
        "53.01": "Asia/Makassar",
        "53.71": "Asia/Makassar",
        "17.07": "Asia/Jakarta",
        "17.06": "Asia/Jakarta",
    }
    assert min(people.values()) >= 50
    ids = {(s.content["regency"], s.content["id"]) for s in dataset.schedules}
    assert {("17.07", "empat-kali"), ("17.06", "kantor-apel"), ("53.71", "rs-malam")} <= ids
    four = next(s for s in dataset.schedules if s.content["id"] == "empat-kali")
    assert len(four.content["week"]["mon"]) == 4


def test_nips_are_valid_in_form_and_no_two_people_share_one(dataset: Dataset) -> None:
    given = {(line.employee_id, line.nip) for line in dataset.employees if line.nip}
    nips = [number for _, number in given]

    assert [number for number in nips if nip.doubt(number)] == []
    assert len(nips) == len(set(nips))
    assert all(line.nip for line in dataset.employees if line.employment != "PTT")


def test_only_the_lines_meant_to_be_bad_are(dataset: Dataset) -> None:
    assert {f.code for f in bad_rows(dataset)} == {"bad_device_line"}
    assert len(bad_rows(dataset)) == 3
    doubts = {f.code for f in dataset.findings if f.severity == "warning"}
    assert doubts == {"no_rule_set", "unresolved_pin"}


def test_the_hard_cases_are_in_it(dataset: Dataset) -> None:
    """Issue: shifts, moves, late papers, PINs, outages, uploads, calendars, letters."""
    lines = Counter(line.employee_id for line in dataset.employees)
    moved = {w for w, n in lines.items() if n > 1}
    regencies = {w: {e.regency for e in dataset.employees if e.employee_id == w} for w in moved}
    classes = {w: {e.employment for e in dataset.employees if e.employee_id == w} for w in moved}
    pins = Counter((pin.serial, pin.pin) for pin in dataset.pins)
    letters = [(e.recorded_at, e) for e in dataset.excuses]
    noon = dataset.clocks.regency("53.01").noon

    assert any(len(codes) > 1 for codes in regencies.values())
    assert {"CPNS", "PNS"} in classes.values()
    assert {"PTT", "PPPK"} in classes.values()
    assert any(e.active_to for e in dataset.employees)
    assert any(e.schedule_id for e in dataset.employees)
    assert any(e.active_from > date(2026, 1, 1) for e in dataset.employees)
    assert 2 in pins.values()
    assert any(pin.recorded_at for pin in dataset.pins)
    assert any(heard.explained for heard in dataset.punches)
    assert {(bool(o.unit_id), bool(o.serial)) for o in dataset.outages} == {
        (False, False),
        (False, True),
        (True, False),
    }
    assert any(
        known > occurred
        for heard in dataset.punches
        for known, occurred in zip(heard.known_at, heard.occurred_at, strict=True)
    )
    assert any(at > noon(e.last_on) + 5 * 86_400 for at, e in letters)
    assert any(at < noon(e.first_on) - 86_400 for at, e in letters)
    assert any(e.revoked_at for e in dataset.excuses)
    assert any(e.first_on.weekday() > 4 for e in dataset.excuses)
    assert {d.kind for d in dataset.calendar} == {"holiday", "joint_leave", "working_day"}
    assert {len(d.scope) for d in dataset.calendar} == {2, 5}
    assert any(min(d.recorded_at.values()) > noon(d.on) for d in dataset.calendar)
    assert {s.schedule_id for s in dataset.shifts} >= {"rs-malam", None}


def test_most_people_are_present_and_a_few_are_not(dataset: Dataset) -> None:
    """A tenth of all check-ins missing would be no ordinary office."""
    days = {
        (heard.people[who], occurred // 86_400)
        for heard in dataset.punches
        for who, occurred in zip(heard.who, heard.occurred_at, strict=True)
        if who >= 0
    }
    seen = Counter(who for who, _ in days)
    often = sum(1 for times in seen.values() if times > 45)

    assert often > 0.85 * 400
    assert min(seen.values()) < 40


def test_ramadan_has_its_own_hours_and_they_end(dataset: Dataset) -> None:
    kantor = [s.content for s in dataset.schedules if s.content["id"] == "kantor"]
    hours = {(c["effective_from"], c["week"]["mon"][0]["due"]) for c in kantor}

    assert hours == {
        (date(2024, 1, 1), 450),
        (date(2026, 2, 18), 480),
        (date(2026, 3, 21), 450),
    }


def test_the_calendar_of_2026_is_the_decreed_one() -> None:
    calendar = Calendar(DEMO, date(2026, 1, 1), date(2026, 12, 31))
    national = Counter(d.kind for d in calendar.decrees if d.scope == "ID")

    assert national == {"holiday": 17, "joint_leave": 8}
    assert calendar.is_off("53.01", date(2026, 2, 16))
    assert not calendar.is_off("53.71", date(2026, 2, 16))  # Re-opened there.


def test_other_years_have_the_holidays_that_never_move() -> None:
    spec = RegencySpec("53.01", "Kabupaten Kupang", "Asia/Makassar", "kantor", 1)
    calendar = Calendar([spec], date(2027, 1, 1), date(2027, 12, 31))

    assert [d.on for d in calendar.decrees if d.scope == "ID"] == [
        date(2027, 1, 1),
        date(2027, 5, 1),
        date(2027, 6, 1),
        date(2027, 8, 17),
        date(2027, 12, 25),
    ]


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")

    with pytest.raises(FileExistsError):
        simulate(tmp_path, 5, 5, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(("employees", "days"), [(0, 5), (5, 0)])
def test_nobody_and_no_days_cannot_be_simulated(tmp_path: Path, employees: int, days: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        simulate(tmp_path / "out", employees, days, 1)
