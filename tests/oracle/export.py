"""Writes the tables of design 8.2 and the list of bad rows."""

import csv
from pathlib import Path

from tests.oracle.model import Source
from tests.oracle.steps import Subject

ASSESSMENTS = "employee_id,date,status,late_minutes,early_minutes,missed,excuse_id,revision"
THRESHOLDS = "employee_id,year,measure,threshold_days,days,state,dates"
PROPOSALS = "case_id,employee_id,year,measure,days,level,sanction,article,rule_set,state"
Rows = list[list[object]]


def write_tables(out: Path, subjects: dict[str, Subject], bad: list[Source]) -> None:
    """Write the three tables and `bad-rows.csv` into a folder, which is made if it is missing."""
    out.mkdir(parents=True, exist_ok=True)
    people = [subjects[name] for name in sorted(subjects)]
    write(out / "assessments.csv", ASSESSMENTS, [row for one in people for row in assessed(one)])
    write(out / "thresholds.csv", THRESHOLDS, [row for one in people for row in reached(one)])
    write(out / "proposals.csv", PROPOSALS, [row for one in people for row in proposed(one)])
    lines = sorted({(one.file, one.line) for one in bad})
    write(out / "bad-rows.csv", "file,line", [list(line) for line in lines])


def write(path: Path, header: str, rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def assessed(subject: Subject) -> Rows:
    rows: Rows = []
    for day, entry in sorted(subject.person.days.items()):
        said = entry.said
        if said is None:
            continue
        minutes = [said.late_minutes, said.early_minutes]
        rest = [";".join(said.missed), said.excuse_id or "", entry.revision]
        rows.append([subject.person.name, day.isoformat(), said.status, *minutes, *rest])
    return rows


def reached(subject: Subject) -> Rows:
    return [
        [
            subject.person.name,
            one.year,
            one.measure,
            one.tier.days,
            one.days,
            "active" if one.active else "retracted",
            ";".join(day.isoformat() for day in one.dates),
        ]
        for one in subject.thresholds
    ]


def proposed(subject: Subject) -> Rows:
    name = subject.person.name
    return [
        [
            f"{name}-{one.threshold.year}-{one.threshold.group}",
            name,
            one.threshold.year,
            one.threshold.measure,
            one.threshold.days,
            one.threshold.tier.level,
            one.threshold.tier.sanction,
            one.threshold.tier.article,
            f"{one.threshold.rule_set.rule_id}@{one.threshold.rule_set.version}",
            one.state,
        ]
        for one in subject.cases.proposals
    ]
