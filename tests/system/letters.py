"""A small office, written by hand: three people, two weeks, and values to be looked for.

Every personal value holds PRIVATE or is NIPS: whoever finds one of them has found a leak. The
office lies where it is noon now, so that mail may be sent at once.
"""

from datetime import UTC, datetime
from pathlib import Path

PRIVATE = "Zqkanari"
NIPS = ("198703122010011719", "197911302005022219", "199008082015031119")
THROUGH = "2026-01-16"
REGENCY = "64.09"
# Nobody came at all; his superior; one with a letter, a pending day and a threshold.
ABSENT, CHIEF, EXPLAINED = "LTR-1", "LTR-2", "LTR-3"
MAIL = f"{PRIVATE.lower()}.satu@example.org"

LINES = (
    "employee_id,nip,name,regency,unit_id,employment,position_level,supervisor_id,"
    "schedule_id,active_from,active_to,recorded_at"
)
DAYS = [f"2026-01-{day:02}" for day in (5, 6, 7, 8, 9, 12, 13, 14, 15, 16)]
# 5, 6, 7: nothing; 8: a letter; 9: fifteen minutes late; 15: nothing, and still open.
CAME = {"2026-01-09": "07:45", "2026-01-12": "07:20", "2026-01-13": "07:20",
        "2026-01-14": "07:20", "2026-01-16": "07:20"}  # fmt: skip

SCHEDULE = """\
id: lima-hari
regency: "64.09"
effective_from: "2024-01-01"
slack_minutes: "60"
week:
"""
CHECKPOINT = """\
  {day}:
    - {{name: masuk, opens: "06:30", due: "07:30", closes: "09:00", kind: presence, direction: in}}
"""
RULES = """\
id: pp94-2021
version: "1"
legal_basis: PP 94/2021
regency: "*"
applies_to: [PNS, CPNS]
effective_from: "2021-08-31"
counting: {evidence_window_workdays: "3", min_presence_marks: "1", run_crosses_year: "true"}
tiers:
  cumulative:
    - {days: "3", level: ringan, sanction: teguran_lisan, article: "9(2) b"}
    - {days: "4", level: ringan, sanction: teguran_tertulis, article: "9(2) b"}
    - {days: "9", level: ringan, sanction: pernyataan_tidak_puas, article: "9(2) b"}
  consecutive:
    - {days: "10", level: berat, sanction: pdhtaps, article: "11(2) d 4"}
"""


def zone_at_noon(now: datetime) -> str:
    """Name a zone in which it is about noon: people are not written to at night."""
    east = 12 - now.astimezone(UTC).hour
    # `Etc/GMT-8` is eight hours ahead: the sign is the other way round by POSIX custom.
    return f"Etc/GMT{-east:+d}" if east else "Etc/GMT"


def write(folder: Path) -> None:
    """Write the dataset (design 8.1)."""
    zone = zone_at_noon(datetime.now(UTC))
    tables = {
        "regencies.csv": ["code,name,province,timezone", f"{REGENCY},Kabupaten Uji,64,{zone}"],
        "units.csv": [
            "unit_id,regency,name,parent_unit_id,head_employee_id,schedule_id",
            f"LTR-U,{REGENCY},Dinas Uji,,{CHIEF},lima-hari",
        ],
        "employees.csv": [
            LINES,
            *(_line(*who) for who in zip((ABSENT, CHIEF, EXPLAINED), NIPS, strict=True)),
        ],
        "contacts.csv": [
            "employee_id,channel,address",
            f"{ABSENT},email,{MAIL}",
            f"{CHIEF},whatsapp,+62{PRIVATE}",
        ],
        "excuses.csv": [
            "excuse_id,employee_id,from,to,kind,document,recorded_at,revoked_at",
            f"LTR-X,{EXPLAINED},2026-01-08,2026-01-08,{PRIVATE} sakit,Surat {PRIVATE},2026-01-08,",
        ],
        "outages.csv": [
            "outage_id,regency,unit_id,serial,from,to,reason,recorded_at",
            f"LTR-O,{REGENCY},LTR-elsewhere,,2026-01-10,2026-01-10,{PRIVATE} listrik,2026-01-10",
        ],
        "check-ins.csv": [
            "employee_id,occurred_at,received_at,via",
            *(f"{CHIEF},{day} 07:10,,mobile" for day in DAYS),
            *(f"{EXPLAINED},{day} {clock},,manual" for day, clock in CAME.items()),
        ],
    }
    tables["units.csv"].append(f"LTR-elsewhere,{REGENCY},Gudang,,,lima-hari")
    for name, lines in tables.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    for sub, name, text in (("schedules", "lima", SCHEDULE + _week()), ("rules", "pp94", RULES)):
        (folder / sub).mkdir()
        (folder / sub / f"{name}.yaml").write_text(text)


def _line(employee_id: str, nip: str) -> str:
    name = f"{PRIVATE} {employee_id}"
    chief = "" if employee_id == CHIEF else CHIEF
    return (
        f"{employee_id},{nip},{name},{REGENCY},LTR-U,PNS,PELAKSANA,{chief},,2020-01-01,,2026-01-05"
    )


def _week() -> str:
    return "".join(CHECKPOINT.format(day=day) for day in ("mon", "tue", "wed", "thu", "fri"))
