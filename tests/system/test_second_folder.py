"""A regency's folders one after the other: a later month, an earlier one, the same one again (A1).

One office with one machine-less checkpoint a day; who came is told by `check-ins.csv`.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.system.whole import SERVICES, Row, Whole, ask

pytestmark = pytest.mark.system

CODE = "62.05"
WEEK = ("mon", "tue", "wed", "thu", "fri")
CHECKPOINT = (
    '[{name: masuk, opens: "06:30", due: "07:30", closes: "09:00", kind: presence, direction: in}]'
)
SCHEDULE = (
    f'id: kantor62\nregency: "{CODE}"\neffective_from: 2024-01-01\nslack_minutes: 30\nweek:\n'
    + "".join(f"  {day}: {CHECKPOINT}\n" for day in WEEK)
)
RULES = (
    f'id: pp94-62\nversion: 1\nregency: "{CODE}"\napplies_to: [PNS, CPNS]\n'
    "effective_from: 2021-08-31\n"
    "tiers: {cumulative: [{days: 3, level: ringan, sanction: teguran_lisan, article: a}]}\n"
)
LINES = (
    "employee_id,nip,name,regency,unit_id,employment,position_level,supervisor_id,schedule_id,"
    "active_from,active_to,recorded_at\n"
)
STEADY, LATER, EARLIER = "62-A", "62-B", "62-C"
JANUARY = date(2026, 1, 5), date(2026, 1, 9)
MARCH = date(2026, 3, 2), date(2026, 3, 6)
DECEMBER = date(2025, 12, 22), date(2025, 12, 26)
LETTERS = "excuse_id,employee_id,from,to,kind,document,recorded_at,revoked_at\n"
OUTAGES = "outage_id,regency,unit_id,serial,from,to,reason,recorded_at\n"


def write(folder: Path, month: tuple[date, date], people: Sequence[str], until: str = "") -> Path:
    """Write the folder of a week: its people were recorded on its first day, and came daily."""
    first, last = month
    folder.mkdir()
    for name, content in {
        "regencies.csv": f"code,name,province,timezone\n{CODE},Seruyan,62,Asia/Pontianak\n",
        "units.csv": "unit_id,regency,name,parent_unit_id,head_employee_id,schedule_id\n"
        f"62-U,{CODE},Dinas,,,kantor62\n",
        "employees.csv": LINES
        + "".join(line(who, at) for who, at in zip(people, recorded(people, first), strict=True)),
        "check-ins.csv": "employee_id,occurred_at,received_at,via\n"
        + "".join(
            f"{who},{day}T07:20:00,,manual\n" for day in days(first, last) for who in people
        ),
        "excuses.csv": LETTERS
        + f"62-X{first:%m},{people[0]},{first},{first},sakit,S,{first}T09:00,\n",
        "outages.csv": OUTAGES
        + f"62-O{first:%m},{CODE},,,{first}T01:00,{until or first}T02:00,listrik,{first}T09:30\n",
    }.items():
        (folder / name).write_text(content)
    for name, content in (("schedules", SCHEDULE), ("rules", RULES)):
        (folder / name).mkdir()
        (folder / name / "one.yaml").write_text(content)
    return folder


def line(who: str, at: date) -> str:
    nip = f"1980010120050120{60 + ord(who[-1]) % 10}"
    return f"{who},{nip},Ani,{CODE},62-U,PNS,PELAKSANA,,,2020-01-01,,{at}T00:30\n"


def recorded(people: Sequence[str], first: date) -> list[date]:
    """Say since when each is known: the one of all folders by the line of January's."""
    return [JANUARY[0] if who == STEADY else first for who in people]


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    work = tmp_path_factory.mktemp("months")
    return {
        "january": write(work / "january", JANUARY, [STEADY]),
        "march": write(work / "march", MARCH, [STEADY, LATER]),
        "december": write(work / "december", DECEMBER, [EARLIER]),
    }


@pytest.fixture(scope="module")
def loaded(whole: Whole, folders: dict[str, Path]) -> dict[str, dict[str, object]]:
    """Load January's folder, then March's, then December's; give what each backfill said."""
    through = {"january": JANUARY[1], "march": MARCH[1], "december": DECEMBER[1]}
    return {
        name: whole.backfill(folders[name], "--through", str(last))
        for name, last in through.items()
    }


def assessed(whole: Whole, who: str) -> dict[str, Row]:
    rows = whole.export("assessments", "--regency", CODE)
    return {row["date"]: row for row in rows if row["employee_id"] == who}


def test_every_date_from_the_first_closing_on_is_closed_once(
    whole: Whole, loaded: dict[str, dict[str, object]]
) -> None:
    """Between the folders as well; nothing stands still in any partition, nobody is parked."""
    told = assessed(whole, STEADY)

    workdays = [day for day in days(JANUARY[0], MARCH[1]) if day.weekday() < 5]
    assert [*told] == [str(day) for day in workdays]
    came = Counter(told[str(day)]["status"] for month in (JANUARY, MARCH) for day in days(*month))
    assert came == {"present": 10}
    assert {each["parked"] for each in loaded.values()} == {0}
    gap = [str(JANUARY[1] + timedelta(days=1)), str(MARCH[0] - timedelta(days=1))]
    assert [each["unheard"] for each in loaded.values()] == [{}, {CODE: gap}, {}]
    for service in SERVICES:
        assert ask(whole.health_port(service), "/readyz")[0] == 200


def test_an_earlier_first_day_is_named_and_not_closed(
    whole: Whole, loaded: dict[str, dict[str, object]]
) -> None:
    """Who is registered late gets the dates that are closed, and none before them (A1, A12)."""
    assert loaded["december"]["not_closed"] == {CODE: [str(DECEMBER[0]), str(JANUARY[0])]}
    assert loaded["january"]["not_closed"] == loaded["march"]["not_closed"] == {}
    dates = [*assessed(whole, EARLIER)]
    assert (dates[0], dates[-1]) == (str(JANUARY[0]), str(MARCH[1]))


@pytest.mark.usefixtures("loaded")
def test_the_same_folders_again_add_nothing(whole: Whole, folders: dict[str, Path]) -> None:
    before = whole.ends()
    for name, last in (("march", MARCH[1]), ("december", DECEMBER[1]), ("january", JANUARY[1])):
        said = whole.backfill(folders[name], "--through", str(last))
        assert said["rows"]["facts"] > 5
        assert said["rows"]["new facts"] == 0

    assert whole.ends() == before


@pytest.mark.usefixtures("loaded")
def test_a_later_date_of_an_earlier_folder_goes_on_from_the_last_closing(
    whole: Whole, folders: dict[str, Path]
) -> None:
    whole.backfill(folders["january"], "--through", str(MARCH[1] + timedelta(days=3)))

    assert [*assessed(whole, STEADY)][-1] == str(MARCH[1] + timedelta(days=3))


@pytest.mark.usefixtures("loaded")
def test_what_would_be_refused_is_listed_before_anything_is_sent(
    whole: Whole, tmp_path: Path
) -> None:
    """An outage and a letter that are published already and read otherwise: file, line and id."""
    folder = write(tmp_path / "march", MARCH, [LATER, STEADY, "62-D"], until=str(MARCH[1]))
    before = whole.ends()
    done = whole.tertib("backfill", folder, "--through", str(MARCH[1]), code=2)
    said = whole.backfill(folder, "--through", str(MARCH[1]), code=2)

    assert said["loaded"] is False
    found = {(row["file"], row["line"], row["field"]) for row in said["findings"]}
    assert {("outages.csv", 2, "id"), ("excuses.csv", 2, "id")} <= found
    reasons = " ".join(str(row["reason"]) for row in said["findings"])
    assert f'data.ends_at: "{MARCH[0]}T02:00:00+07:00", now "{MARCH[1]}' in reasons
    assert f'subject: "{STEADY}", now "{LATER}"' in reasons
    assert "outages.csv" in done.stderr
    assert whole.ends() == before
