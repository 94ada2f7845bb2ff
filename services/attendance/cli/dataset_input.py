"""What commands do with a dataset folder: open it, show its findings, report the result."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NoReturn

import typer
from rich.console import Console

from services.attendance.backfill.cuts import last_known_date
from services.attendance.cli import findings_report
from services.attendance.dataset.dataset import Dataset
from services.attendance.dataset.findings import Finding, UnusableDatasetError
from services.attendance.dataset.reader import read_dataset

FOUND_SOMETHING = 1
COULD_NOT_RUN = 2


def opened(
    folder: Path, report_file: Path | None, lang: str, *, strict: bool, as_json: bool
) -> Dataset:
    """Read a dataset and show its findings; exits if nothing may be loaded."""
    if lang not in ("id", "en"):
        fail(f"--lang is id or en, not {lang}")
    try:
        dataset = read_dataset(folder)
    except UnusableDatasetError as error:
        refused(error.findings, report_file, lang, as_json=as_json)
    _hand_out(dataset.findings, report_file, lang, as_json=as_json)
    if strict and has_errors(dataset.findings):
        if as_json:
            findings = findings_report.rows_of(dataset.findings, lang)
            typer.echo(json.dumps({"loaded": False, "findings": findings}))
        else:
            say("nothing was loaded: --strict, and there are bad rows")
        raise typer.Exit(FOUND_SOMETHING)
    return dataset


def refused(
    findings: Sequence[Finding], report_file: Path | None, lang: str, *, as_json: bool
) -> NoReturn:
    """Show why nothing was loaded, and end the command."""
    _hand_out(findings, report_file, lang, as_json=as_json)
    if as_json:
        rows = findings_report.rows_of(findings, lang)
        typer.echo(json.dumps({"loaded": False, "findings": rows}))
    raise typer.Exit(COULD_NOT_RUN)


def _hand_out(
    findings: Sequence[Finding], report_file: Path | None, lang: str, *, as_json: bool
) -> None:
    if not as_json:
        findings_report.show(findings, Console(stderr=True), lang)
    if report_file is not None:
        with report_file.open("w", encoding="utf-8", newline="") as file:
            findings_report.write_csv(findings, file, lang)


def until(dataset: Dataset, through: datetime | None) -> date:
    """Give the last workday to close: as asked, or the last date on which anything is known."""
    return through.date() if through is not None else last_known_date(dataset)


def finish(
    findings: Sequence[Finding],
    summary: Mapping[str, object],
    remarks: Sequence[str] = (),
    *,
    as_json: bool,
    lang: str = "en",
) -> None:
    """Show the result.

    Exit code 1 if rows were bad, `parked` counts records that wait, or `broken` names services.

    Shapes: `rows` of the summary counts by name; `remarks` are sentences for people alone.
    """
    bad = has_errors(findings)
    if as_json:
        found = findings_report.rows_of(findings, lang)
        typer.echo(json.dumps({"loaded": True, **summary, "findings": found}))
    else:
        rows = summary["rows"]
        counted = rows.items() if isinstance(rows, Mapping) else ()
        say(f"through {summary['through']}: {', '.join(f'{n:,} {name}' for name, n in counted)}")
        for remark in remarks:
            say(remark)
        if bad:
            say("some rows could not be read: they are listed above, the rest is loaded")
    if bad or summary.get("parked") or summary.get("broken"):
        raise typer.Exit(FOUND_SOMETHING)


def has_errors(findings: Sequence[Finding]) -> bool:
    """Say whether a row was left out; warnings are loaded."""
    return any(finding.severity == "error" for finding in findings)


def say(sentence: str) -> None:
    """Write to standard error; standard output is for tables and machines."""
    typer.echo(sentence, err=True)


def fail(sentence: str) -> NoReturn:
    """Exit with code 2 and a message that says what to do."""
    typer.echo(f"tertib: {sentence}", err=True)
    raise typer.Exit(COULD_NOT_RUN)
