"""A small dataset folder to vary: two regencies in two zones, three people, one machine each."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from services.attendance.backfill.plan import plan
from services.attendance.backfill.plan_entries import Planned
from services.attendance.dataset.dataset import Dataset
from services.attendance.dataset.findings import Finding
from services.attendance.dataset.reader import read_dataset
from shared.events.sealing import Redacting, Sealer

LADDER = "tiers: {cumulative: [{days: 3, level: ringan, sanction: teguran_lisan, article: a}]}\n"
RULES = (
    'id: pp94\nversion: 1\nregency: "*"\napplies_to: [PNS, CPNS]\n'
    f"effective_from: 2021-08-31\n{LADDER}"
)
WEEKDAY = (
    '- {name: masuk, opens: "06:30", due: "07:30", closes: "09:00", kind: presence, direction: in}'
)
SCHEDULE = (
    'id: kantor\nregency: "*"\neffective_from: 2024-01-01\nslack_minutes: 30\n'
    f"week:\n  mon:\n    {WEEKDAY}\n"
)
EMPLOYEES = (
    "employee_id,nip,name,regency,unit_id,employment,position_level,supervisor_id,schedule_id,"
    "active_from,active_to,recorded_at\n"
)
BASE = {
    "regencies.csv": (
        "code,name,province,timezone\n"
        "53.01,Kabupaten Kupang,53,Asia/Makassar\n"
        "17.07,Kabupaten Lebong,17,Asia/Jakarta\n"
    ),
    "units.csv": (
        "unit_id,regency,name,parent_unit_id,head_employee_id,schedule_id\n"
        "U1,53.01,Dinas 1,,,kantor\n"
        "U2,17.07,Dinas 2,,,kantor\n"
    ),
    "employees.csv": EMPLOYEES
    + "A,198001012005012065,Ani,53.01,U1,PNS,PELAKSANA,,,2020-01-01,,2026-01-05T00:30\n"
    + "B,198001012005011066,Budi,53.01,U1,PNS,PELAKSANA,,,2020-01-01,,2026-01-05T00:30\n"
    + "C,198001012005012067,Citra,17.07,U2,PNS,PELAKSANA,,,2020-01-01,,2026-01-06T00:30\n",
    "devices.csv": "serial,regency,unit_id,timezone\nD1,53.01,U1,\nD2,17.07,U2,\n",
    "pins.csv": (
        "serial,pin,employee_id,valid_from,valid_to\n"
        "D1,1,A,2020-01-01,\nD1,2,B,2020-01-01,\nD2,1,C,2020-01-01,\n"
    ),
    "schedules/kantor.yaml": SCHEDULE,
    "rules/pp94.yaml": RULES,
}
HEADS = {
    "contacts.csv": "employee_id,channel,address\n",
    "pins.csv": "serial,pin,employee_id,valid_from,valid_to,recorded_at\n",
    "shifts.csv": "employee_id,date,schedule_id,recorded_at\n",
    "calendar.csv": "date,scope,kind,name,recorded_at\n",
    "excuses.csv": "excuse_id,employee_id,from,to,kind,document,recorded_at,revoked_at\n",
    "outages.csv": "outage_id,regency,unit_id,serial,from,to,reason,recorded_at\n",
    "late-uploads.csv": "serial,from,to,received_at\n",
    "check-ins.csv": "employee_id,occurred_at,received_at,via\n",
}
Files = Mapping[str, str | bytes | None]


def rows(file: str, *lines: str) -> dict[str, str | bytes | None]:
    """Give a table with its header and these rows."""
    return {file: HEADS[file] + "".join(f"{line}\n" for line in lines)}


def write(folder: Path, *changes: Files) -> Path:
    """Write the small dataset with changes; None leaves a file out."""
    files: dict[str, str | bytes | None] = dict(BASE)
    for change in changes:
        files.update(change)
    for name, content in files.items():
        if content is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def load(folder: Path, *changes: Files) -> Dataset:
    """Read the small dataset with changes."""
    return read_dataset(write(folder, *changes))


def bad_rows(dataset: Dataset) -> list[Finding]:
    """Give the findings that left a row out."""
    return [f for f in dataset.findings if f.severity == "error"]


def errors(dataset: Dataset) -> list[tuple[str, int, str]]:
    """Give file, line and field of what left a row out."""
    return [(f.file, f.line, f.field) for f in bad_rows(dataset)]


def warnings(dataset: Dataset) -> list[tuple[str, int, str, str]]:
    """Give file, line, field and code of the doubts."""
    return [(f.file, f.line, f.field, f.code) for f in dataset.findings if f.severity == "warning"]


def planned(dataset: Dataset, through: str, sealer: Sealer | None = None) -> list[Planned]:
    """Plan a dataset through a date."""
    return list(plan(dataset, date.fromisoformat(through), sealer or Redacting()))


def brief(facts: list[Planned], *kinds: str) -> list[tuple[str, str, str]]:
    """Give kind, subject and the time told of facts, of some kinds or of all."""
    return [
        (f.kind.__name__, f.envelope.subject, f.envelope.recordedtime)
        for f in facts
        if not kinds or f.kind.__name__ in kinds
    ]
