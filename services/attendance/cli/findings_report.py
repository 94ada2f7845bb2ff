"""The findings of a dataset: a table, JSON, and a CSV to hand back to the sender."""

import csv
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.attendance.dataset.findings import Finding

COLUMNS = ("file", "line", "field", "value", "reason", "severity")
_HEADINGS = {
    "en": ("File: line", "Severity", "Field, value, reason"),
    "id": ("Berkas: baris", "Tingkat", "Kolom, nilai, alasan"),
}
_SEVERITIES = {"en": {}, "id": {"error": "salah", "warning": "meragukan"}}
_COLOURS = {"error": "red", "warning": "yellow"}
# A spreadsheet takes a cell that begins with one of these for a formula, and would run it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

_PERSONAL = frozenset({"nip", "name", "address", "kind", "document", "reason"})
# Shown whole: a word outside a list, a NIP with lost digits.
_HARMLESS = frozenset({"not_one_of", "spreadsheet_nip"})
_SHOWN = 4  # Characters of a personal value: enough to find the cell, not to know the person.


def rows_of(
    findings: Iterable[Finding], language: str = "en", *, whole: bool = False
) -> list[dict[str, str | int]]:
    """Give the findings as plain rows with the columns of design 8.2. Errors: KeyError.

    Personal values are shortened, `whole` apart: screens and logs are read by others, too.
    """
    return [
        {
            "file": f.file,
            "line": f.line,
            "field": f.field,
            "value": f.value if whole else _discreet(f),
            "reason": f.reason_in(language),
            "severity": f.severity,
        }
        for f in findings
    ]


def write_csv(findings: Iterable[Finding], out: TextIO, language: str = "en") -> None:
    """Write the findings as CSV with LF, values as given; open the file with `newline=""`."""
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows_of(findings, language, whole=True):
        value = str(row["value"])
        writer.writerow({**row, "value": f"'{value}" if value.startswith(_FORMULA) else value})


def show(findings: Sequence[Finding], console: Console, language: str = "en") -> None:
    """Print the findings as a table, a sentence a row; nothing if there are none."""
    if not findings:
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in _HEADINGS[language]:
        table.add_column(heading)
    severities = _SEVERITIES[language]
    for row in rows_of(findings, language):
        severity = str(row["severity"])
        value = str(row["value"]).replace("\t", "\\t")
        parts = [
            (str(row["field"]), "bold"),
            (f'"{value}"' if value else "", "cyan"),
            (str(row["reason"]), ""),
        ]
        table.add_row(
            Text(f"{row['file']}:{row['line']}"),
            Text(severities.get(severity, severity), style=_COLOURS[severity]),
            Text(" ").join(Text(*part) for part in parts if part[0]),
        )
    console.print(table)


def _discreet(finding: Finding) -> str:
    """Shorten a value that may say who a person is; a line as a whole may."""
    value = finding.value
    if finding.code in _HARMLESS or not finding.file.endswith(".csv"):
        return value
    if not finding.field:
        first, comma, _ = value.partition(",")
        return f"{first}{comma}…" if comma else value
    if finding.field not in _PERSONAL or len(value) <= _SHOWN:
        return value
    return f"{value[:_SHOWN]}…"
