"""What a later folder closes without a check-in is named to the person who loads it (A1)."""

from datetime import date
from pathlib import Path

from services.attendance.backfill.gaps import unheard_gaps
from services.attendance.facts.closings import Closed
from tests.attendance.dataset.making import load

JANUARY = {"53.01": Closed(date(2026, 1, 5), date(2026, 1, 9))}
THROUGH = date(2026, 3, 6)


def gaps_of(folder: Path, log: str, through: date = THROUGH) -> dict[str, tuple[date, date]]:
    return unheard_gaps(load(folder, {"attlog/D1.dat": log}), JANUARY, through)


def test_dates_between_two_folders_are_named_with_their_regency(tmp_path: Path) -> None:
    gaps = gaps_of(tmp_path, "1\t2026-01-07 07:30:00\n1\t2026-03-02 07:30:00\n")

    assert gaps == {"53.01": (date(2026, 1, 10), date(2026, 3, 1))}


def test_a_folder_that_goes_on_the_next_day_has_no_gap(tmp_path: Path) -> None:
    assert gaps_of(tmp_path, "1\t2026-01-10 07:30:00\n") == {}


def test_without_any_later_check_in_all_that_is_closed_is_a_gap(tmp_path: Path) -> None:
    gaps = gaps_of(tmp_path, "1\t2026-01-07 07:30:00\n", date(2026, 1, 12))

    assert gaps == {"53.01": (date(2026, 1, 10), date(2026, 1, 12))}


def test_what_is_closed_already_is_none(tmp_path: Path) -> None:
    assert gaps_of(tmp_path, "1\t2026-01-07 07:30:00\n", date(2026, 1, 9)) == {}
