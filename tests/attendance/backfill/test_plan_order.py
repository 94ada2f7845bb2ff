"""When facts become known, and in which order they are told (semantics A1 to A3, A6, A10)."""

from datetime import date
from pathlib import Path

import pytest

from services.attendance.backfill.cuts import last_known_date
from tests.attendance.dataset.making import (
    BASE,
    EMPLOYEES,
    RULES,
    SCHEDULE,
    brief,
    load,
    planned,
    rows,
)

CLOSED = "WorkdayClosed"


def test_closings_begin_with_the_first_recorded_line_and_miss_no_date(tmp_path: Path) -> None:
    """A1: per regency, local dates, closed at 12:00 of the next day."""
    closings = brief(planned(load(tmp_path), "2026-01-07"), CLOSED)

    assert closings == [
        (CLOSED, "53.01", "2026-01-06T12:00:00+08:00"),
        (CLOSED, "53.01", "2026-01-07T12:00:00+08:00"),
        (CLOSED, "17.07", "2026-01-07T12:00:00+07:00"),
        (CLOSED, "53.01", "2026-01-08T12:00:00+08:00"),
        (CLOSED, "17.07", "2026-01-08T12:00:00+07:00"),
    ]


def test_a_date_before_the_first_recorded_line_closes_nothing(tmp_path: Path) -> None:
    facts = planned(load(tmp_path), "2026-01-04")

    assert brief(facts, CLOSED, "EmployeeRegistered") == [
        ("EmployeeRegistered", "A", "2026-01-05T00:30:00+08:00"),
        ("EmployeeRegistered", "B", "2026-01-05T00:30:00+08:00"),
    ]


def test_the_last_fact_of_a_regency_is_its_closing(tmp_path: Path) -> None:
    """A2: what becomes known in the second of the closing is still told, before it."""
    log = "1\t2026-01-06 12:00:00\n1\t2026-01-06 12:00:01\n"
    facts = planned(load(tmp_path, {"attlog/D1.dat": log}), "2026-01-05")

    mine = [f for f in facts if f.envelope.subject in ("A", "53.01")]
    assert brief(mine)[-2:] == [
        ("CheckInRecorded", "A", "2026-01-06T12:00:00+08:00"),
        (CLOSED, "53.01", "2026-01-06T12:00:00+08:00"),
    ]


def test_a_decree_of_the_second_of_the_last_closing_is_told_and_a_later_one_not(
    tmp_path: Path,
) -> None:
    """A2, for what concerns a whole regency."""
    decrees = rows(
        "calendar.csv",
        "2026-01-09,ID,holiday,x,2026-01-06T12:00:00",
        "2026-01-12,ID,holiday,x,2026-01-06T12:00:01",
    )
    facts = planned(load(tmp_path, decrees), "2026-01-05")

    told = [f.envelope for f in facts if f.kind.__name__ == "CalendarPublished"]
    assert [(e.subject, e.data.on.day) for e in told] == [("53.01", 9), ("17.07", 9)]


def test_who_has_moved_ends_with_the_regency_of_that_date(tmp_path: Path) -> None:
    """A2: noon in Jakarta is an hour after noon in Makassar."""
    moved = "A,198001012005012065,Ani,17.07,U2,PNS,,,,2026-01-08,,2026-01-07T08:00\n"
    log = "1\t2026-01-08 12:30:00\n1\t2026-01-09 12:30:00\n1\t2026-01-09 13:00:01\n"
    employees = {"employees.csv": BASE["employees.csv"] + moved}
    dataset = load(tmp_path, employees, {"attlog/D1.dat": log})

    def last(through: str) -> tuple[str, str, str]:
        return brief([f for f in planned(dataset, through) if f.key == "A"])[-1]

    assert last("2026-01-07")[2] == "2026-01-07T08:00:00+07:00"
    assert last("2026-01-08")[2] == "2026-01-09T12:30:00+08:00"


def test_facts_of_no_time_come_first_in_the_order_of_the_tables(tmp_path: Path) -> None:
    """A6."""
    kinds = [f.kind.__name__ for f in planned(load(tmp_path), "2026-01-05")]

    assert kinds == (
        ["RegencyRegistered"] * 2
        + ["UnitRegistered"] * 2
        + ["DeviceRegistered"] * 2
        + ["PinAssigned"] * 3
        + ["SchedulePublished"] * 2
        + ["RuleSetPublished"] * 2
        + ["EmployeeRegistered"] * 3
        + [CLOSED]
    )


def test_what_is_known_at_one_second_is_told_in_one_order(tmp_path: Path) -> None:
    """A10, and A8: a check-in that a PIN explains is heard among the punches of that second."""
    at = "2026-01-06T08:00:00"
    later = f'recorded_at: "{at}"\n'
    dataset = load(
        tmp_path,
        {
            "employees.csv": EMPLOYEES
            + "A,,,53.01,U1,PNS,,,,2020-01-01,,2026-01-05\n"
            + f"A,,,53.01,U1,PNS,,,,2021-01-01,,{at}\n",
            "attlog/D1.dat": "9\t2026-01-05 07:00:00\n1\t2026-01-06 08:00:00\n",
            "schedules/later.yaml": SCHEDULE.replace("2024", "2025").replace('"*"', '"53.01"')
            + later,
            "rules/later.yaml": RULES.replace("version: 1", "version: 2").replace('"*"', '"53.01"')
            + later,
        },
        rows("pins.csv", "D1,1,A,2020-01-01,,", f"D1,9,A,2020-01-01,,{at}"),
        rows("shifts.csv", f"A,2026-01-09,,{at}"),
        rows("calendar.csv", f"2026-01-09,53.01,holiday,,{at}"),
        rows(
            "excuses.csv",
            "X0,A,2026-01-09,2026-01-09,s,,2026-01-05,2026-01-06T08:00",
            f"X1,A,2026-01-09,2026-01-09,s,,{at},{at}",
        ),
        rows("outages.csv", f"O1,53.01,,,2026-01-09,,,{at}"),
        rows("check-ins.csv", f"A,{at},,mobile"),
        rows("late-uploads.csv"),
    )
    told = brief(planned(dataset, "2026-01-06"))
    second = [kind for kind, _, time in told if time == f"{at}+08:00"]

    assert second == [
        "PinAssigned",
        "SchedulePublished",
        "RuleSetPublished",
        "EmployeeRegistered",
        "ShiftAssigned",
        "CalendarPublished",
        "ExcuseRecorded",
        "ExcuseRevoked",
        "ExcuseRevoked",
        "OutageDeclared",
        "CheckInRecorded",
        "CheckInRecorded",
        "CheckInRecorded",
    ]
    vias = [
        f.envelope.data.device.pin if f.envelope.data.device else f.envelope.data.via
        for f in planned(dataset, "2026-01-06")
        if f.kind.__name__ == "CheckInRecorded"
    ]
    assert vias == ["9", "1", "mobile"]


def test_punches_of_one_second_go_by_file_name_then_line(tmp_path: Path) -> None:
    log = "1\t2026-01-06 08:00:00\n2\t2026-01-06 08:00:00\n"
    devices = BASE["devices.csv"] + "D10,53.01,U1,\n"
    pins = rows(
        "pins.csv", "D1,1,A,2020-01-01,,", "D1,2,B,2020-01-01,,", "D10,1,A,2020-01-01,,",
        "D10,2,B,2020-01-01,,",
    )  # fmt: skip
    dataset = load(
        tmp_path, {"devices.csv": devices, "attlog/D10.dat": log, "attlog/D1.dat": log}, pins
    )
    facts = [f for f in planned(dataset, "2026-01-06") if f.kind.__name__ == "CheckInRecorded"]

    heard = [(f.envelope.data.device.serial, f.envelope.subject) for f in facts]
    assert heard == [("D1", "A"), ("D1", "B"), ("D10", "A"), ("D10", "B")]


def test_a_decree_for_the_country_is_one_fact_for_each_regency_at_its_own_time(
    tmp_path: Path,
) -> None:
    """A3."""
    dataset = load(
        tmp_path,
        rows(
            "calendar.csv",
            "2026-01-09,ID,holiday,x,2026-01-06T08:00",
            "2026-01-10,53,holiday,x,2026-01-06T08:00+07:00",
        ),
    )

    assert brief(planned(dataset, "2026-01-06"), "CalendarPublished") == [
        ("CalendarPublished", "53.01", "2026-01-06T08:00:00+08:00"),
        ("CalendarPublished", "17.07", "2026-01-06T08:00:00+07:00"),
        ("CalendarPublished", "53.01", "2026-01-06T09:00:00+08:00"),
    ]


@pytest.mark.parametrize(
    ("zone", "time"), [("", "07:30:00+08:00"), ("Asia/Jayapura", "07:30:00+09:00")]
)
def test_a_punch_is_in_the_zone_of_the_machine(tmp_path: Path, zone: str, time: str) -> None:
    """A3: its regency's where the column is blank."""
    dataset = load(
        tmp_path,
        {
            "devices.csv": f"serial,regency,unit_id,timezone\nD1,53.01,U1,{zone}\nD2,17.07,U2,\n",
            "attlog/D1.dat": "1\t2026-01-06 07:30:00\n",
        },
    )
    (fact,) = [f for f in planned(dataset, "2026-01-06") if f.kind.__name__ == "CheckInRecorded"]

    assert fact.envelope.time == fact.envelope.recordedtime == f"2026-01-06T{time}"
    assert fact.envelope.data.occurred_at.isoformat() == f"2026-01-06T{time}"
    assert fact.envelope.regency == "53.01"


def test_a_letter_is_in_the_zone_of_the_persons_regency_on_that_date(tmp_path: Path) -> None:
    """A3: by the file's whole history, also by lines that become known later."""
    moved = "A,198001012005012065,Ani,17.07,U2,PNS,,,,2026-01-07,,2026-01-09T08:00\n"
    dataset = load(
        tmp_path,
        {"employees.csv": BASE["employees.csv"] + moved},
        rows(
            "excuses.csv",
            "X1,A,2026-01-05,2026-01-05,s,,2026-01-06T08:00,2026-01-07T08:00",
            "X2,A,2026-01-05,2026-01-05,s,,2026-01-08T08:00+09:00,",
        ),
        rows("check-ins.csv", "A,2026-01-07T07:00,,mobile", "A,2019-12-31T07:00,,mobile"),
    )
    told = brief(
        planned(dataset, "2026-01-10"), "ExcuseRecorded", "ExcuseRevoked", "CheckInRecorded"
    )

    assert [time for _, _, time in told] == [
        "2019-12-31T07:00:00+08:00",
        "2026-01-06T08:00:00+08:00",
        "2026-01-07T07:00:00+07:00",
        "2026-01-07T08:00:00+07:00",
        "2026-01-08T06:00:00+07:00",
    ]


def test_of_lines_begun_together_the_last_recorded_says_where_a_person_is(tmp_path: Path) -> None:
    """A7, then the last in the file."""
    dataset = load(
        tmp_path,
        {
            "employees.csv": EMPLOYEES
            + "A,,,17.07,U2,PNS,,,,2020-01-01,,2026-01-06T08:00\n"
            + "A,,,53.01,U1,PNS,,,,2020-01-01,,2026-01-05T08:00\n"
            + "B,,,17.07,U2,PNS,,,,2020-01-01,,2026-01-05T08:00+07:00\n"
            + "B,,,53.01,U1,PNS,,,,2020-01-01,,2026-01-05T09:00\n"
        },
    )

    on = dataset.histories.regency_on
    assert on("A", date(2026, 1, 1)) == "17.07"
    assert on("A", date(2019, 1, 1)) == "17.07"  # Before the first line, the first.
    assert on("B", date(2026, 1, 1)) == "53.01"


def test_the_last_date_is_the_last_on_which_anything_becomes_known(tmp_path: Path) -> None:
    """Design 8.2, in the zone in which it becomes known."""
    assert last_known_date(load(tmp_path / "0")).isoformat() == "2026-01-06"
    late = rows("shifts.csv", "A,2026-01-01,,2026-01-10T00:30")
    assert last_known_date(load(tmp_path / "1", late)).isoformat() == "2026-01-10"
    revoked = rows("excuses.csv", "X,A,2026-01-05,2026-01-05,s,,2026-01-06,2026-02-01T23:59")
    assert last_known_date(load(tmp_path / "2", late, revoked)).isoformat() == "2026-02-01"
    upload = rows("late-uploads.csv", "D1,2026-01-05,2026-01-05,2026-03-01T00:10")
    log = {"attlog/D1.dat": "1\t2026-01-05 07:00:00\n"}
    assert last_known_date(load(tmp_path / "3", upload, log)).isoformat() == "2026-03-01"
    assert last_known_date(load(tmp_path / "4", upload)).isoformat() == "2026-01-06"
