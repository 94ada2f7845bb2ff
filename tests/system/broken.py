"""A dataset with every kind of broken row (semantics A17), and where each of them stands.

It is the office of `letters` with lines added behind its own. Expectations are by hand.
"""

from pathlib import Path

from tests.system import letters

Place = tuple[str, int, str]  # File, line from 1 with the header, column.

PERSON = "{0},199008082015031119,Orang,64.09,LTR-U,PNS,PELAKSANA,,,2020-01-01,,2026-01-05"
PINS = [
    "serial,pin,employee_id,valid_from,valid_to",
    "LTR-D,1,LTR-2,2020-01-01,",
    "LTR-9,1,LTR-2,2020-01-01,",
    "LTR-D,2,LTR-99,2020-01-01,",
    "LTR-D,3,LTR-2,2020-01-01,2019-01-01",
    "LTR-D,1,LTR-3,2025-01-01,",
]
# File, a line, and the column that is wrong in it; None: the line is good.
BAD: list[tuple[str, str, str | None]] = [
    ("regencies.csv", "64.9x,Kode,64,Asia/Makassar", "code"),
    ("regencies.csv", "64.10,Zona,64,Asia/Atlantis", "timezone"),
    ("regencies.csv", "64.11,Provinsi,53,Asia/Makassar", "province"),
    ("units.csv", ",64.09,Tanpa id,,,", "unit_id"),
    ("units.csv", "LTR-V,99.99,Kabupaten lain,,,", "regency"),
    ("employees.csv", PERSON.format("LTR-5").replace("PNS", "HONORER"), "employment"),
    ("employees.csv", PERSON.format("LTR-5").replace("2020-01-01", "2020-02-30"), "active_from"),
    ("employees.csv", PERSON.format("LTR-5").replace("01-01,,", "01-01,2019-01-01,"), "active_to"),
    ("employees.csv", PERSON.format("LTR-5").replace("LTR-U", "LTR-W"), "unit_id"),
    ("employees.csv", PERSON.format("LTR-5").replace("NA,,,", "NA,,tujuh-hari,"), "schedule_id"),
    ("employees.csv", "LTR-5,199008082015031119,Orang,64.09", ""),
    ("contacts.csv", "LTR-99,email,siapa@example.org", "employee_id"),
    ("devices.csv", "serial,regency,unit_id,timezone", None),
    ("devices.csv", "LTR-D,64.09,LTR-U,", None),
    ("devices.csv", "LTR-E,99.99,,", "regency"),
    ("excuses.csv", "LTR-X,LTR-1,2026-01-05,2026-01-05,cuti,,2026-01-05,", "excuse_id"),
    ("excuses.csv", "LTR-Y,LTR-99,2026-01-05,2026-01-05,cuti,,2026-01-05,", "employee_id"),
    ("excuses.csv", "LTR-Z,LTR-1,2026-01-06,2026-01-05,cuti,,2026-01-05,", "to"),
    (
        "excuses.csv",
        "LTR-Q,LTR-1,2026-01-05,2026-01-05,cuti,,2026-01-06,2026-01-05",
        "revoked_at",
    ),
    ("outages.csv", "LTR-O,64.09,,,2026-01-10,2026-01-10,Listrik,2026-01-10", "outage_id"),
    ("outages.csv", "LTR-P,64.09,,LTR-9,2026-01-10,2026-01-10,Listrik,2026-01-10", "serial"),
    ("outages.csv", "LTR-R,64.09,,,2026-01-11,2026-01-10,Listrik,2026-01-10", "to"),
    ("calendar.csv", "date,scope,kind,name,recorded_at", None),
    ("calendar.csv", "2026-01-07,64.09,pesta,Libur,2026-01-05", "kind"),
    ("calendar.csv", "2026-01-07,Kupang,holiday,Libur,2026-01-05", "scope"),
    ("calendar.csv", "2026-01-07,64.09,holiday,Libur,", "recorded_at"),
    ("shifts.csv", "employee_id,date,schedule_id,recorded_at", None),
    ("shifts.csv", "LTR-2,2026-01-07,tujuh-hari,2026-01-05", "schedule_id"),
    ("shifts.csv", "LTR-2,2026-01-07 08:00,lima-hari,2026-01-05", "date"),
    ("late-uploads.csv", "serial,from,to,received_at", None),
    ("late-uploads.csv", "LTR-D,2026-01-05,2026-01-05,nanti", "received_at"),
    ("check-ins.csv", "LTR-2,kemarin,,mobile", "occurred_at"),
    ("check-ins.csv", "LTR-2,2026-01-05 07:00,,merpati", "via"),
    ("check-ins.csv", "LTR-2,2026-01-05 07:00,,mobile,lagi", ""),
]
DOUBTFUL: list[tuple[str, str, str]] = [
    ("employees.csv", PERSON.format("LTR-6").replace("199008082015031119", "1.99E+17"), "nip"),
    ("employees.csv", PERSON.format("LTR-7").replace("199008082015031119", "12345"), "nip"),
    ("employees.csv", PERSON.format("LTR-8").replace("PELAKSANA", "RAJA"), "position_level"),
    ("employees.csv", PERSON.format("LTR-9").replace("NA,,", "NA,LTR-99,"), "supervisor_id"),
]
BAD_PINS = {("pins.csv", 3, "serial"), ("pins.csv", 4, "employee_id"), ("pins.csv", 5, "valid_to")}
DOUBTFUL_PINS = {("pins.csv", 6, "pin")}
LOG = (
    b"1\t2026-01-05 07:00:00\t0\t1\n"
    b"\t2026-01-05 07:00:00\t0\t1\n"
    b"1\t2026-02-30 07:00:00\t0\t1\n"
    b"\xff\t2026-01-05 07:00:00\t0\t1\n"
    b"77\t2026-01-05 07:00:00\t0\t1\n"
)
BAD_LOGS = {
    ("attlog/LTR-D.dat", 2, ""),
    ("attlog/LTR-D.dat", 3, ""),
    ("attlog/LTR-D.dat", 4, ""),
    ("attlog/LTR-9.dat", 1, "serial"),
}
DOUBTFUL_LOGS = {("attlog/LTR-D.dat", 5, "pin")}
BAD_DOCUMENTS = {
    ("schedules/rusak.yaml", 1, ""),
    ("schedules/tanpa-id.yaml", 1, "id"),
    ("rules/rusak.yaml", 1, "tiers.consecutive[0].level"),
}


def write(folder: Path) -> tuple[set[Place], set[Place]]:
    """Write it; give where rows are bad, and where they are doubtful."""
    letters.write(folder)
    bad, doubtful = {*BAD_PINS, *BAD_LOGS, *BAD_DOCUMENTS}, {*DOUBTFUL_PINS, *DOUBTFUL_LOGS}
    for file, line, column in BAD:
        number = _append(folder / file, line.encode())
        if column is not None:
            bad.add((file, number, column))
    for file, line, column in DOUBTFUL:
        doubtful.add((file, _append(folder / file, line.encode()), column))
    number = _append(folder / "contacts.csv", b"LTR-2,email,\xe9@example.org")  # Not UTF-8.
    bad.add(("contacts.csv", number, ""))
    (folder / "pins.csv").write_text("\n".join(PINS) + "\n")
    logs = folder / "attlog"
    logs.mkdir()
    (logs / "LTR-D.dat").write_bytes(LOG)
    (logs / "LTR-9.dat").write_bytes(b"1\t2026-01-05 07:00:00\t0\t1\n")
    (folder / "schedules" / "rusak.yaml").write_text("id: [tidak ditutup\n")
    (folder / "schedules" / "tanpa-id.yaml").write_text(
        letters.SCHEDULE.replace("id: lima-hari\n", "").replace("week:", "week: {}")
    )
    (folder / "rules" / "rusak.yaml").write_text(
        letters.RULES.replace('"1"', '"2"').replace("level: berat", "level: ngeri")
    )
    return bad, doubtful


def _append(path: Path, line: bytes) -> int:
    """Add a line; give its number."""
    old = path.read_bytes() if path.exists() else b""
    path.write_bytes(old + line + b"\n")
    return old.count(b"\n") + 1
