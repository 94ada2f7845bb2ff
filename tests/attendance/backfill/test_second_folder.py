"""A regency of which workdays are closed already: where the closings of a plan go on (A1)."""

from datetime import date
from pathlib import Path

import pytest

from services.attendance.backfill.plan import plan, that_may_contradict
from services.attendance.facts.closings import Closed
from shared.events.sealing import Redacting
from tests.attendance.dataset.making import load, rows

KUPANG, LEBONG = "53.01", "17.07"


def closed_in(folder: Path, through: date, closed: dict[str, Closed]) -> dict[str, list[date]]:
    """Plan the small dataset (first lines on 5 and 6 January); give what it closes."""
    found: dict[str, list[date]] = {}
    for fact in plan(load(folder), through, Redacting(), closed):
        if fact.kind.__name__ == "WorkdayClosed":
            found.setdefault(fact.envelope.regency, []).append(fact.envelope.data.on)
    return found


def january(*days: int) -> list[date]:
    return [date(2026, 1, day) for day in days]


@pytest.mark.parametrize(
    ("closed", "expected"),
    [
        ({}, {KUPANG: january(5, 6, 7, 8), LEBONG: january(6, 7, 8)}),
        # A later month: dates between are closed as well.
        (
            {KUPANG: Closed(date(2025, 12, 1), date(2026, 1, 1))},
            {KUPANG: january(2, 3, 4, 5, 6, 7, 8), LEBONG: january(6, 7, 8)},
        ),
        # An earlier one: what lies before the first closing is never closed.
        (
            {LEBONG: Closed(date(2026, 1, 7), date(2026, 1, 7))},
            {KUPANG: january(5, 6, 7, 8), LEBONG: january(8)},
        ),
        # All of it is closed already.
        ({code: Closed(date(2026, 1, 5), date(2026, 3, 6)) for code in (KUPANG, LEBONG)}, {}),
    ],
    ids=["none", "later", "earlier", "all"],
)
def test_closings_go_on_behind_the_last_one_of_their_regency(
    tmp_path: Path, closed: dict[str, Closed], expected: dict[str, list[date]]
) -> None:
    assert closed_in(tmp_path, date(2026, 1, 8), closed) == expected


def test_what_may_contradict_is_named_with_its_place(tmp_path: Path) -> None:
    """Broadcasts, closings apart, and letters: a line of a person or a punch never is refused."""
    dataset = load(
        tmp_path,
        rows("excuses.csv", "X1,A,2026-01-05,2026-01-05,sakit,S,2026-01-05T09:00,"),
        rows("outages.csv", "O1,53.01,,,2026-01-05,2026-01-06,listrik,2026-01-06T09:00"),
        rows("check-ins.csv", "A,2026-01-05T07:00,,manual"),
    )
    places = {
        (entry.make().kind.__name__, entry.file, entry.line)
        for entry in that_may_contradict(dataset, date(2026, 1, 8), Redacting())
    }

    assert {
        ("ExcuseRecorded", "excuses.csv", 2),
        ("OutageDeclared", "outages.csv", 2),
        ("RuleSetPublished", "rules/pp94.yaml", 1),
        ("DeviceRegistered", "devices.csv", 3),
    } <= places
    kinds = {kind for kind, _, _ in places}
    assert not kinds & {"WorkdayClosed", "EmployeeRegistered", "CheckInRecorded"}
