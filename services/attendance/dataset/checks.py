"""Checks that need the whole dataset: ids used twice, and doubts (semantics A17)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from services.attendance.dataset import doubts, rows, tables
from services.attendance.dataset.closings import first_closings
from services.attendance.dataset.dataset import Dataset
from services.attendance.dataset.findings import Finding, Findings
from services.attendance.dataset.tables import Table

Identified = TypeVar("Identified", rows.Excuse, rows.Outage)
_FOLDERS = {"schedules": ".yaml", "rules": ".yaml", "attlog": ".dat"}
_DATA = (".csv", ".yaml", ".yml", ".dat")


def first_by_id(
    table: Table, found: Iterable[Identified], findings: Findings
) -> tuple[Identified, ...]:
    """Keep the first row of each id; a second one is bad."""
    first: dict[str, Identified] = {}
    for row in found:
        id_ = row.excuse_id if isinstance(row, rows.Excuse) else row.outage_id
        known = first.setdefault(id_, row)
        if known is not row and table.id is not None:
            place, line = (table.file, row.line), str(known.line)
            findings.error(place, table.id, id_, "second_with_id", first=line)
    return tuple(first.values())


def one_content_each(
    documents: Sequence[rows.Document], findings: Findings
) -> tuple[rows.Document, ...]:
    """Keep rule sets; of one id and version with two contents the first, by file name."""
    first: dict[tuple[str, str, int], rows.Document] = {}
    kept = []
    for document in documents:
        content = document.content
        key = content["regency"], content["id"], content["version"]
        known = first.setdefault(key, document)
        if known.content == content:
            kept.append(document)
        else:
            id_ = f"{content['id']}@{content['version']}"
            findings.error((document.file, 1), "id", id_, "contradicts", other=known.file)
    return tuple(kept)


def unknown_files(folder: Path, findings: Findings) -> None:
    """Warn of files that look like data but are not read: perhaps their names are misspelt."""
    names = {table.file for table in tables.TABLES}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name in _FOLDERS:
            for inner in sorted(path.iterdir()):
                if inner.suffix != _FOLDERS[path.name] and inner.suffix in _DATA:
                    findings.warn((f"{path.name}/{inner.name}", 1), "", "", "unknown_file")
        elif path.suffix in _DATA and path.name not in names:
            findings.warn((path.name, 1), "", "", "unknown_file")


def checked(dataset: Dataset, findings: Findings) -> Dataset:
    """Give the dataset with its doubts and all its findings, in the order of the files."""
    doubts.doubt_people(dataset.employees, findings)
    doubts.doubt_pins(dataset.pins, findings)
    doubts.doubt_punches(dataset.punches, findings)
    in_force = doubts.InForce(
        dataset.units, dataset.schedules, dataset.rule_sets, first_closings(dataset)
    )
    in_force.doubt(dataset.employees, findings)
    return replace(dataset, findings=tuple(sorted(findings, key=_place)))


def _place(finding: Finding) -> tuple[int, str, int]:
    files = [table.file for table in tables.TABLES]
    file = finding.file
    return (files.index(file) if file in files else len(files)), file, finding.line
