import shutil
from datetime import date
from pathlib import Path

import pytest

from tests.oracle.__main__ import main
from tests.oracle.judging import judge
from tests.oracle.reading import read_dataset
from tests.oracle.tables import CannotLoadError

CASE = Path(__file__).parents[1] / "cases" / "01-minutes-and-missed"
THROUGH = date(2026, 1, 9)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CASE / "dataset", tmp_path / "dataset"))


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def bad(folder: Path) -> list[tuple[str, int]]:
    return sorted((one.file, one.line) for one in read_dataset(folder).bad)


def test_a_spreadsheet_may_change_form_but_not_content(folder: Path, tmp_path: Path) -> None:
    """Columns go by name; byte-order mark, line ends and blanks are no matter (A19)."""
    (folder / "pins.csv").write_bytes(
        b"\xef\xbb\xbfvalid_to, pin ,serial,employee_id,valid_from\r\n, 1 ,D1, A,2020-01-01\r\n"
    )
    judge(folder, THROUGH, tmp_path / "out")

    expected = (CASE / "expected" / "assessments.csv").read_text()
    assert (tmp_path / "out" / "assessments.csv").read_text() == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [("serial,pin", "serial,nomor"), ("valid_to", "valid_to,catatan"), ("serial,pin,", "serial,")],
)
def test_unknown_or_missing_columns_stop_the_load(folder: Path, old: str, new: str) -> None:
    """Nothing of such a dataset is loaded (A17)."""
    rewrite(folder / "pins.csv", old, new)

    with pytest.raises(CannotLoadError):
        read_dataset(folder)


def test_a_table_without_a_header_stops_the_load(folder: Path, tmp_path: Path) -> None:
    """A file of no bytes has no columns (A17); the command says 2."""
    (folder / "contacts.csv").write_text("")
    words = [str(folder), "--through", "2026-01-09", "--out", str(tmp_path / "out")]

    assert main(words) == 2
    assert not (tmp_path / "out").exists()


def test_what_points_at_a_bad_row_is_bad_too(folder: Path) -> None:
    """A bad regency takes its unit, the unit its people, they their PINs and letters (A17)."""
    with (folder / "regencies.csv").open("a") as file:
        file.write("53.02,Rusak,53,Asia/Entah\n")
    with (folder / "units.csv").open("a") as file:
        file.write("U2,53.02,Dinas,,,\nU3,53.01,Bidang,U2,,\n")
    with (folder / "employees.csv").open("a") as file:
        file.write("Z,1,Z,53.01,U3,PNS,PELAKSANA,,,2020-01-01,,2026-01-05\n")
    with (folder / "pins.csv").open("a") as file:
        file.write("D1,9,Z,2020-01-01,\n")

    assert bad(folder) == [
        ("employees.csv", 3),
        ("pins.csv", 3),
        ("regencies.csv", 3),
        ("units.csv", 3),
        ("units.csv", 4),
    ]


def test_a_good_row_with_the_same_id_is_enough(folder: Path) -> None:
    """One bad line of a history does not make the person unknown (A17)."""
    with (folder / "employees.csv").open("a") as file:
        file.write("A,1,A,53.01,U1,HONORER,PELAKSANA,,,2026-01-01,,2026-01-05\n")

    assert bad(folder) == [("employees.csv", 3)]


def test_only_the_line_that_is_not_text_is_bad(folder: Path) -> None:
    """In a table the whole row, in a device's log only if it hits PIN or time (A17)."""
    with (folder / "units.csv").open("ab") as file:
        file.write(b"U2,53.01,Dinas \xff,,,\nU3,53.01,Dinas 3,,,\n")
    with (folder / "attlog" / "D1.dat").open("ab") as file:
        file.write(b"1\t2026-01-09 13:00:00\t\xff\n\xff1\t2026-01-09 13:00:00\t1\n")

    assert bad(folder) == [("attlog/D1.dat", 9), ("units.csv", 3)]


def test_doubtful_is_not_bad(folder: Path) -> None:
    """NIP, position level and supervisor are warnings (A17)."""
    rewrite(folder / "employees.csv", "198001012005012065", "1.98E+17")
    rewrite(folder / "employees.csv", "PELAKSANA,,", "ENTAH,TAK-ADA,")

    assert bad(folder) == []


def test_a_bad_document_is_one_bad_row(folder: Path) -> None:
    """A YAML file that cannot be read; who names its schedule points at nothing (A17)."""
    (folder / "schedules" / "kantor.yaml").write_text("id: [kantor")

    assert bad(folder) == [("attlog/D1.dat", number) for number in range(1, 8)] + [
        ("devices.csv", 2),
        ("employees.csv", 2),
        ("pins.csv", 2),
        ("schedules/kantor.yaml", 1),
        ("units.csv", 2),
    ]
