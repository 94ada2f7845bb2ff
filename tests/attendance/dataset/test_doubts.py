"""What is doubtful but usable: reported, loaded, exit code 0 (semantics A17)."""

from pathlib import Path

import pytest

from services.attendance.dataset import nip
from tests.attendance.dataset.making import (
    BASE,
    EMPLOYEES,
    RULES,
    SCHEDULE,
    errors,
    load,
    rows,
    warnings,
)


def line(**changes: str) -> dict[str, str | bytes | None]:
    """Give one person's line with changes."""
    cells = {
        "employee_id": "A", "nip": "198001012005012065", "name": "Ani", "regency": "53.01",
        "unit_id": "U1", "employment": "PNS", "position_level": "PELAKSANA", "supervisor_id": "",
        "schedule_id": "", "active_from": "2020-01-01", "active_to": "",
        "recorded_at": "2026-01-05",
    }  # fmt: skip
    cells.update(changes)
    return {"employees.csv": EMPLOYEES + ",".join(cells.values()) + "\n", "pins.csv": None}


@pytest.mark.parametrize(
    "given",
    ["198001012005012065", "200002292024031999", "200002292024211999", "196612311990062001"],
)
def test_a_nip_of_the_right_form_is_not_doubted(given: str) -> None:
    """Acceptance vector N1: a PNS, and a PPPK with the code 21 in the place of the month."""
    assert nip.doubt(given) is None


@pytest.mark.parametrize(
    "given",
    [
        "200102292024031999",  # 2001 had no 29 February.
        "200002292024131999",
        "200002292024003999",
        "200002292024033999",
        "200002292024031000",
        "20000229202403199",
        "2000022920240319999",
        "1980 01012005012065",
        "NIP",
    ],
)
def test_a_nip_of_another_form_is_doubtful(given: str) -> None:
    assert nip.doubt(given) == "doubtful_nip"


@pytest.mark.parametrize("given", ["1.98E+17", "1,98E+17", "2E+17", "1.98001E17"])
def test_a_nip_that_a_spreadsheet_has_rounded_is_recognised(given: str) -> None:
    assert nip.doubt(given) == "spreadsheet_nip"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"nip": "1.98E+17"}, [("nip", "spreadsheet_nip")]),
        ({"nip": ""}, [("nip", "doubtful_nip")]),
        ({"nip": "", "employment": "PTT"}, [("employment", "no_rule_set")]),
        ({"position_level": "KEPALA"}, [("position_level", "unknown_position")]),
        ({"position_level": ""}, []),
        ({"supervisor_id": "Z"}, [("supervisor_id", "unknown_supervisor")]),
        ({"supervisor_id": "A"}, []),
        ({"employment": "PPPK"}, [("employment", "no_rule_set")]),
        ({"unit_id": ""}, [("schedule_id", "no_schedule")]),
        ({"unit_id": "", "schedule_id": "kantor"}, []),
    ],
)
def test_a_doubtful_line_is_loaded(
    tmp_path: Path, changes: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    dataset = load(tmp_path, line(**changes))

    assert [(field, code) for _, _, field, code in warnings(dataset)] == expected
    assert errors(dataset) == []
    assert len(dataset.employees) == 1


def test_another_regencys_schedule_is_none(tmp_path: Path) -> None:
    """Semantics B5."""
    other = {"schedules/kantor.yaml": SCHEDULE.replace('"*"', '"17.07"')}

    assert [w[2:] for w in warnings(load(tmp_path, line(), other))] == [
        ("schedule_id", "no_schedule")
    ]


def test_the_schedule_of_a_unit_above_is_found(tmp_path: Path) -> None:
    units = BASE["units.csv"] + "U3,53.01,Bidang,U1,,\n"

    assert warnings(load(tmp_path, line(unit_id="U3"), {"units.csv": units})) == []


def test_units_above_one_another_in_a_circle_have_no_schedule(tmp_path: Path) -> None:
    units = BASE["units.csv"] + "U3,53.01,Bidang,U4,,\nU4,53.01,Bidang,U3,,\n"
    dataset = load(tmp_path, line(unit_id="U3"), {"units.csv": units})

    assert [w[3] for w in warnings(dataset)] == ["no_schedule"]


def test_rules_that_begin_later_are_none_yet(tmp_path: Path) -> None:
    later = {"rules/pp94.yaml": RULES.replace("2021-08-31", "2026-01-06")}
    today = {"rules/pp94.yaml": RULES.replace("2021-08-31", "2026-01-05")}

    assert [w[3] for w in warnings(load(tmp_path / "1", line(), later))] == ["no_rule_set"]
    assert warnings(load(tmp_path / "2", line(), today)) == []


@pytest.mark.parametrize(
    ("first", "second", "doubted"),
    [
        ("2020-01-01,2026-01-05", "2026-01-05,", True),
        ("2020-01-01,2026-01-05", "2026-01-06,", False),
        ("2026-01-06,", "2020-01-01,", True),
    ],
)
def test_overlapping_pins_are_doubtful(
    tmp_path: Path, first: str, second: str, *, doubted: bool
) -> None:
    dataset = load(tmp_path, rows("pins.csv", f"D1,7,A,{first},", f"D1,7,B,{second},"))

    expected = [("pins.csv", 3, "pin", "overlapping_pins")] if doubted else []
    assert warnings(dataset) == expected


def test_a_pin_that_nobody_had_is_doubtful_once_for_all_its_punches(tmp_path: Path) -> None:
    log = "9\t2026-01-05 07:00:00\n1\t2026-01-05 07:00:01\n9\t2026-01-05 16:00:00\n"
    dataset = load(tmp_path, {"attlog/D1.dat": log})

    assert warnings(dataset) == [("attlog/D1.dat", 1, "pin", "unresolved_pin")]
    assert "punches that wait for it: 2" in dataset.findings[0].reason


def test_a_check_in_received_before_it_happened_is_doubtful(tmp_path: Path) -> None:
    dataset = load(
        tmp_path,
        rows("check-ins.csv", "A,2026-01-05T07:00,2026-01-05T06:59,mobile"),
        rows("late-uploads.csv", "D1,2026-01-05,2026-01-06,2026-01-06T12:00"),
        {"attlog/D1.dat": "1\t2026-01-06 12:00:01\n"},
    )

    assert warnings(dataset) == [
        ("late-uploads.csv", 2, "received_at", "received_before"),
        ("check-ins.csv", 2, "received_at", "received_before"),
    ]


def test_a_letter_of_no_kind_covers_its_days_all_the_same(tmp_path: Path) -> None:
    dataset = load(tmp_path, rows("excuses.csv", "X,A,2026-01-05,2026-01-05,,,2026-01-05,"))

    assert warnings(dataset) == [("excuses.csv", 2, "kind", "blank_kind")]
    assert len(dataset.excuses) == 1


def test_a_check_in_that_claims_a_device_is_doubtful(tmp_path: Path) -> None:
    dataset = load(tmp_path, rows("check-ins.csv", "A,2026-01-05T07:00,,device"))

    assert warnings(dataset) == [("check-ins.csv", 2, "via", "via_device")]
    assert len(dataset.check_ins) == 1
