"""Puts rows that cannot be read, and rows that are only doubtful, into a random dataset (A17)."""

from datetime import datetime, time
from random import Random
from typing import Any

from tests.oracle.making.draft import Draft

BAD = {
    "regencies.csv": ["12.99,Zona,12,Asia/Atlantis", ",Tanpa kode,53,Asia/Makassar"],
    "units.csv": [
        "U-bad,99.99,Entah,,,",
        "U-bad2,{regency},Entah,,,tak-ada",
        "U-bad3,{regency},Di bawah yang rusak,U-bad,,",
        ",{regency},Tanpa id,,,",
        "U-short,{regency}",
    ],
    "employees.csv": [
        "{person},1,X,{regency},{unit},HONORER,PELAKSANA,,,{day},,{time}",
        "{person},1,X,{regency},{unit},PNS,PELAKSANA,,,2026-02-30,,{time}",
        "{person},1,X,{regency},{unit},PNS,PELAKSANA,,tak-ada,{day},,{time}",
        "Z1,1,X,{regency},U-bad,PNS,PELAKSANA,,,{day},,{time}",
        "Z2,1,X,{regency},{unit},PNS,PELAKSANA,,,{day},,",
        "Z3,1,X,{regency},{unit},PNS,PELAKSANA,,,{day},2020-01-01,{time}",
    ],
    "contacts.csv": ["Z9,email,z@example.test", "{person},email"],
    "devices.csv": ["DX,99.99,,", "DY,{regency},U-bad3,", "DZ"],
    "pins.csv": [
        "DX,1,{person},2020-01-01,",
        "{serial},1,Z1,2020-01-01,",
        "{serial},1,{person},2026-01-09,2026-01-08",
        "{serial},1,{person},2020-01-01T08:00:00,",
        "{serial},,{person},2020-01-01,",
    ],
    "shifts.csv": [
        "{person},{day},tak-ada,{time}",
        "Z2,{day},pagi,{time}",
        "{person},{day},pagi,",
    ],
    "calendar.csv": [
        "{day},ID,pesta,?,{time}",
        "{day},Kupang,holiday,?,{time}",
        "besok,ID,holiday,?,{time}",
        "{day},ID,holiday,?,",
    ],
    "excuses.csv": [
        "XB1,{person},2026-02-30,2026-03-01,sakit,,{time},",
        "XB2,Z3,{day},{day},sakit,,{time},",
        "XB3,{person},{day},2020-01-01,sakit,,{time},",
        "X001,{person},{day},{day},sakit,,{time},",
        "XB4,{person},{day},{day},sakit,,{time},2020-01-01T00:00:00",
        "XB5,{person},{day},{day},sakit,,25:00,",
    ],
    "outages.csv": [
        "O00,{regency},,,{day},{day},Ulang,{time}",
        "OB1,99.99,,,{day},{day},?,{time}",
        "OB2,{regency},,DX,{day},{day},?,{time}",
        "OB3,{regency},,,{day},2020-01-01,?,{time}",
        "OB4,{regency},,,,{day},?,{time}",
    ],
    "late-uploads.csv": [
        "DX,{day},{day},{time}",
        "{serial},{day},2020-01-01,{time}",
        "{serial},{day},{day},nanti",
    ],
    "check-ins.csv": [
        "{person},kemarin,,mobile",
        "{person},{time},",
        "Z1,{time},,mobile",
    ],
}
"""Rows that cannot be read, some only because of what they point at."""
USED_IDS = {"X001", "O00"}
BAD_PUNCHES = (
    b"123\t2026-02-30 07:00:00\t1\n",
    b"no punch at all\n",
    b"\t2026-01-05 07:00:00\n",
    b"1\xff2\t2026-01-05 07:00:00\t1\n",
    b"12\t2026-01-05\t1\n",
    b"\n",
    b"PIN=\tDateTime=2026-01-05 07:00:00\n",
)
BAD_DOCUMENTS: dict[str, dict[str, Any]] = {
    "schedules/no-date.yaml": {"id": "no-date", "regency": "*", "week": {}},
    "schedules/nowhere.yaml": {
        "id": "nowhere",
        "regency": "99.99",
        "effective_from": "2024-01-01",
        "week": {},
    },
    "rules/no-number.yaml": {
        "id": "no-number",
        "version": "satu",
        "regency": "*",
        "applies_to": ["PNS"],
        "effective_from": "2021-08-31",
    },
}


def spoil(draft: Draft) -> None:
    """Put in about half of the bad rows, each at a random place of its file."""
    dice = draft.dice("spoil")
    words = {
        "regency": dice.choice(draft.rows["regencies.csv"])[0],
        "unit": dice.choice(draft.rows["units.csv"])[0],
        "person": dice.choice(draft.rows["employees.csv"])[0],
        "serial": dice.choice(draft.rows["devices.csv"])[0],
        "day": draft.day(dice).isoformat(),
        "time": f"{draft.day(dice).isoformat()}T08:00:00",
    }
    for file, rows in BAD.items():
        for row in rows:
            if dice.random() < 0.5:
                cells = row.format(**words).split(",")
                place = dice.randint(0, len(draft.rows[file]))
                if cells[0] in USED_IDS:  # It is bad because it comes second.
                    place = len(draft.rows[file])
                draft.rows[file].insert(place, cells)
    for lines in draft.punches.values():
        spoil_punches(dice, lines)
    draft.punches["DX"] = [(datetime.combine(draft.start, time()), b"1\t2026-01-05 07:00:00\n")]
    for name, tree in BAD_DOCUMENTS.items():
        if dice.random() < 0.5:
            draft.documents[name] = tree


def spoil_punches(dice: Random, lines: list[tuple[datetime, bytes]]) -> None:
    for line in BAD_PUNCHES:
        if lines and dice.random() < 0.5:
            lines.insert(dice.randint(0, len(lines)), (lines[0][0], line))
