"""A dataset folder with broken rows: each is named, the rest is loaded (semantics A17)."""

from pathlib import Path

import pytest

from services.attendance.dataset.findings import UnusableDatasetError
from services.attendance.dataset.reader import read_dataset
from tests.attendance.dataset.making import (
    BASE,
    EMPLOYEES,
    bad_rows,
    errors,
    load,
    rows,
    warnings,
    write,
)

CASE_51 = Path(__file__).parents[2] / "cases" / "51-rows-that-cannot-be-read" / "dataset"
A = "A,198001012005012065,Ani,53.01,U1,PNS,PELAKSANA,,,2020-01-01,,2026-01-05T00:30\n"


def employees(*lines: str) -> dict[str, str | bytes | None]:
    return {"employees.csv": EMPLOYEES + "".join(f"{line}\n" for line in lines)}


def test_the_small_dataset_is_without_fault(tmp_path: Path) -> None:
    assert load(tmp_path).findings == ()


def test_every_bad_row_of_the_worked_case_is_named() -> None:
    dataset = read_dataset(CASE_51)

    assert errors(dataset) == [
        ("calendar.csv", 2, "kind"),
        ("calendar.csv", 4, "scope"),
        ("excuses.csv", 2, "from"),
        ("excuses.csv", 4, "employee_id"),
        ("excuses.csv", 5, "to"),
        ("excuses.csv", 6, "excuse_id"),
        ("excuses.csv", 7, "revoked_at"),
        ("check-ins.csv", 2, "occurred_at"),
        ("check-ins.csv", 3, ""),
    ]
    assert [e.excuse_id for e in dataset.excuses] == ["X1"]
    assert len(dataset.calendar) == len(dataset.check_ins) == 1


@pytest.mark.parametrize("file", ["regencies.csv", "employees.csv"])
def test_two_files_are_obligatory(tmp_path: Path, file: str) -> None:
    with pytest.raises(UnusableDatasetError) as stopped:
        load(tmp_path, {file: None})

    assert [(f.file, f.code) for f in stopped.value.findings] == [(file, "missing_file")]


def test_no_other_file_is(tmp_path: Path) -> None:
    only = {name: None for name in BASE if name not in ("regencies.csv", "employees.csv")}
    dataset = load(tmp_path, only, employees("A,,,53.01,,PTT,,,,2020-01-01,,2026-01-05"))

    assert errors(dataset) == []
    assert len(dataset.employees) == 1


def test_a_missing_folder_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(UnusableDatasetError, match="is no folder"):
        read_dataset(tmp_path / "none")


def test_all_missing_and_unknown_columns_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnusableDatasetError) as stopped:
        load(tmp_path, {"excuses.csv": "id\n", "shifts.csv": ""}, rows("contacts.csv"))

    files = {f.file for f in stopped.value.findings}
    assert files == {"excuses.csv", "shifts.csv"}


@pytest.mark.parametrize(
    ("file", "good", "bad", "field"),
    [
        ("shifts.csv", "A,2026-01-05,kantor,2026-01-05", "A,05/01/2026,kantor,2026-01-05", "date"),
        ("shifts.csv", "A,2026-01-05,,2026-01-05", "A,2026-01-05T00:00,,2026-01-05", "date"),
        ("shifts.csv", "A,2026-01-05,,2026-01-05", "A,2026-01-05,,", "recorded_at"),
        ("shifts.csv", "A,2026-01-05,,2026-01-05", "A,2026-01-05,siang,2026-01-05", "schedule_id"),
        ("shifts.csv", "A,2026-01-05,,2026-01-05", "Z,2026-01-05,,2026-01-05", "employee_id"),
        (
            "calendar.csv",
            "2026-01-05,53,holiday,,2026-01-05",
            "2026-01-05,54,holiday,,2026-01-05",
            "scope",
        ),
        (
            "calendar.csv",
            "2026-01-05,ID,holiday,,2026-01-05",
            "2026-01-05,ID,libur,,2026-01-05",
            "kind",
        ),
        (
            "excuses.csv",
            "X,A,2026-01-05,2026-01-05,s,,2026-01-05,",
            "X,A,2026-01-05,2026-01-04,s,,2026-01-05,",
            "to",
        ),
        (
            "excuses.csv",
            "X,A,2026-01-05,2026-01-05,s,,2026-01-05,2026-01-05",
            "X,A,2026-01-05,2026-01-05,s,,2026-01-05,2026-01-04",
            "revoked_at",
        ),
        (
            "excuses.csv",
            "X,A,2026-01-05,2026-01-05,s,,2026-01-05,",
            ",A,2026-01-05,2026-01-05,s,,2026-01-05,",
            "excuse_id",
        ),
        (
            "outages.csv",
            "O,53.01,,,2026-01-05,,,2026-01-05",
            "O,53.71,,,2026-01-05,,,2026-01-05",
            "regency",
        ),
        (
            "outages.csv",
            "O,53.01,U1,D1,2026-01-05,2026-01-05,,2026-01-05",
            "O,53.01,U9,D1,2026-01-05,,,2026-01-05",
            "unit_id",
        ),
        (
            "outages.csv",
            "O,53.01,,D1,2026-01-05,,,2026-01-05",
            "O,53.01,,D9,2026-01-05,,,2026-01-05",
            "serial",
        ),
        (
            "outages.csv",
            "O,53.01,,,2026-01-05T08:00,2026-01-05T08:00,,2026-01-05",
            "O,53.01,,,2026-01-05T08:00,2026-01-05T07:59,,2026-01-05",
            "to",
        ),
        (
            "late-uploads.csv",
            "D1,2026-01-05,2026-01-05,2026-01-09",
            "D9,2026-01-05,2026-01-05,2026-01-09",
            "serial",
        ),
        (
            "late-uploads.csv",
            "D1,2026-01-05,2026-01-05,2026-01-09",
            "D1,2026-01-05,,2026-01-09",
            "to",
        ),
        (
            "late-uploads.csv",
            "D1,2026-01-05,2026-01-05,2026-01-09",
            "D1,2026-01-05,2026-01-04,2026-01-09",
            "to",
        ),
        ("check-ins.csv", "A,2026-01-05T07:00,,mobile", "A,2026-01-05T07:00,,telepon", "via"),
        ("check-ins.csv", "A,2026-01-05T07:00,,manual", "A,,,manual", "occurred_at"),
        ("contacts.csv", "A,mail,a@example.org", "A,mail,", "address"),
        ("pins.csv", "D1,9,A,2020-01-01,2020-01-01,", "D1,9,A,2020-01-02,2020-01-01,", "valid_to"),
        ("pins.csv", "D1,9,A,2020-01-01,,2026-01-05", "D1,9,A,,,2026-01-05", "valid_from"),
        ("pins.csv", "D1,9,A,2020-01-01,,", "D9,9,A,2020-01-01,,", "serial"),
    ],
)
def test_a_bad_row_is_left_out_and_its_neighbour_loaded(
    tmp_path: Path, file: str, good: str, bad: str, field: str
) -> None:
    dataset = load(tmp_path, rows(file, bad, good))

    assert errors(dataset) == [(file, 2, field)]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("B,,,53.71,,PNS,,,,2020-01-01,,2026-01-05", "regency"),
        ("B,,,53.01,U9,PNS,,,,2020-01-01,,2026-01-05", "unit_id"),
        ("B,,,53.01,U1,HONORER,,,,2020-01-01,,2026-01-05", "employment"),
        ("B,,,53.01,U1,PNS,,,malam,2020-01-01,,2026-01-05", "schedule_id"),
        ("B,,,53.01,U1,PNS,,,,2020-01-02,2020-01-01,2026-01-05", "active_to"),
        ("B,,,53.01,U1,PNS,,,,2020-01-02,,", "recorded_at"),
        (",,,53.01,U1,PNS,,,,2020-01-02,,2026-01-05", "employee_id"),
    ],
)
def test_a_bad_line_of_a_person(tmp_path: Path, line: str, field: str) -> None:
    dataset = load(tmp_path, employees(line, A.strip()), {"pins.csv": None})

    assert errors(dataset) == [("employees.csv", 2, field)]
    assert [e.employee_id for e in dataset.employees] == ["A"]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("53.71,Kota,17,Asia/Makassar", "province"),
        ("5371,Kota,53,Asia/Makassar", "code"),
        ("53.71,Kota,53,WITA", "timezone"),
        ("53.71,Kota,53,", "timezone"),
        ("53.71,Kota,53,../../etc", "timezone"),
        ("53.01,Kota,53,Asia/Makassar", "code"),
    ],
)
def test_a_bad_regency(tmp_path: Path, line: str, field: str) -> None:
    """`province` is the part of the code before the dot (semantics A19)."""
    dataset = load(tmp_path, {"regencies.csv": BASE["regencies.csv"] + line + "\n"})

    assert errors(dataset) == [("regencies.csv", 4, field)]
    assert set(dataset.regencies) == {"53.01", "17.07"}


def test_rows_that_point_at_a_row_that_could_not_be_read_are_bad_too(tmp_path: Path) -> None:
    """The unit's schedule is unknown: its people, their PINs and letters go with it."""
    units = BASE["units.csv"].replace("U1,53.01,Dinas 1,,,kantor", "U1,53.01,Dinas 1,,,siang")
    letter = rows("excuses.csv", "X,A,2026-01-05,2026-01-05,s,,2026-01-05,")

    dataset = load(tmp_path, {"units.csv": units}, letter)

    assert errors(dataset) == [
        ("units.csv", 2, "schedule_id"),
        ("employees.csv", 2, "unit_id"),
        ("employees.csv", 3, "unit_id"),
        ("devices.csv", 2, "unit_id"),
        ("pins.csv", 2, "serial"),
        ("pins.csv", 2, "employee_id"),
        ("pins.csv", 3, "serial"),
        ("pins.csv", 3, "employee_id"),
        ("excuses.csv", 2, "employee_id"),
    ]
    reasons = {f.file: f.code for f in bad_rows(dataset)}
    assert (reasons["units.csv"], reasons["employees.csv"]) == ("unknown", "unread")


def test_unless_a_good_row_defines_the_same_id(tmp_path: Path) -> None:
    bad = "A,,Ani,53.01,U1,PNS,,,,kemarin,,2026-01-05"

    dataset = load(
        tmp_path, employees(bad, A.strip()), rows("shifts.csv", "A,2026-01-05,,2026-01-05"),
        {"pins.csv": None},
    )  # fmt: skip

    assert errors(dataset) == [("employees.csv", 2, "active_from")]
    assert len(dataset.shifts) == 1


def test_a_unit_and_its_head_may_name_each_other(tmp_path: Path) -> None:
    units = BASE["units.csv"].replace("U1,53.01,Dinas 1,,", "U1,53.01,Dinas 1,,A")

    assert errors(load(tmp_path, {"units.csv": units})) == []


def test_a_unit_whose_head_is_unknown_is_bad(tmp_path: Path) -> None:
    units = BASE["units.csv"].replace("U2,17.07,Dinas 2,,", "U2,17.07,Dinas 2,,Z")

    dataset = load(tmp_path, {"units.csv": units})

    assert ("units.csv", 3, "head_employee_id") in errors(dataset)
    assert ("employees.csv", 4, "unit_id") in errors(dataset)
    assert "A" in dataset.histories


@pytest.mark.parametrize(
    ("file", "first", "second", "column"),
    [
        (
            "excuses.csv",
            "X,A,2026-01-05,2026-01-05,s,,2026-01-06,",
            "X,B,2026-01-07,2026-01-07,s,,2026-01-05,",
            "excuse_id",
        ),
        (
            "outages.csv",
            "X,53.01,,,2026-01-05,,,2026-01-06",
            "X,17.07,,,2026-01-07,,,2026-01-05",
            "outage_id",
        ),
    ],
)
def test_of_two_letters_or_outages_with_one_id_the_first_stands(
    tmp_path: Path, file: str, first: str, second: str, column: str
) -> None:
    """First in the file, not first recorded."""
    dataset = load(tmp_path, rows(file, first, second))

    assert errors(dataset) == [(file, 3, column)]


def test_of_two_letters_with_one_id_the_first_that_can_be_read_stands(tmp_path: Path) -> None:
    dataset = load(
        tmp_path,
        rows(
            "excuses.csv",
            "X,A,2026-02-30,2026-03-01,s,,2026-01-05,",
            "X,Z,2026-01-05,2026-01-05,s,,2026-01-05,",
            "X,A,2026-01-05,2026-01-05,s,,2026-01-06,2026-01-05",
            "X,A,2026-01-07,2026-01-07,s,,2026-01-05,",
        ),
    )

    assert [e.line for e in dataset.excuses] == [5]


def test_a_unit_said_twice_is_doubtful_and_said_otherwise_is_bad(tmp_path: Path) -> None:
    again = BASE["units.csv"] + "U1,53.01,Dinas 1,,,kantor\nU2,53.01,Dinas 2,,,kantor\n"

    dataset = load(tmp_path, {"units.csv": again})

    assert errors(dataset) == [("units.csv", 5, "unit_id")]
    assert warnings(dataset) == [("units.csv", 4, "unit_id", "repeated")]
    assert [u.line for u in dataset.units] == [2, 3]


def test_files_that_look_like_data_and_are_not_read_are_noted(tmp_path: Path) -> None:
    write(
        tmp_path, {"excuse.csv": "x", "schedules/k.yml": "x", "attlog/D1.csv": "x", "README": ""}
    )

    dataset = read_dataset(tmp_path)

    assert {(f.file, f.severity) for f in dataset.findings} == {
        ("excuse.csv", "warning"),
        ("schedules/k.yml", "warning"),
        ("attlog/D1.csv", "warning"),
    }


def test_a_line_that_is_not_utf8_is_bad(tmp_path: Path) -> None:
    content = BASE["employees.csv"].encode().replace(b"Budi", b"Bud\xe9")

    dataset = load(tmp_path, {"employees.csv": content})

    assert errors(dataset)[0] == ("employees.csv", 3, "")
    assert [e.employee_id for e in dataset.employees] == ["A", "C"]
