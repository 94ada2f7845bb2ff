"""The demo: four regencies, a quarter, from device logs to delivered notices, told as a story.

It runs the very commands that an office would: simulate, up, backfill, export, explain. The stack
is its own; it is stopped at the end and kept, so that one can look further.
"""

import csv
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shared.runtime.errors import CannotRun

TABLES = ("assessments", "thresholds", "proposals", "notices")
PROPOSED = ("measure", "days", "level", "sanction", "article", "state")
STORY = Console(stderr=True, highlight=False)


def run(employees: int, days: int, seed: int) -> None:
    """Run the whole job in a stack of its own, and print what came of it."""
    from shared.local.paths import default_home  # noqa: PLC0415  (not installed in production)

    began = time.monotonic()
    home = Path(os.environ.get("TERTIB_HOME") or default_home() / "demo")
    data = home / "dataset"
    _say(f"A stack of its own in {home}; an older demo there is removed.")
    _tertib(home, "down", quiet=True)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    with _stopped_at_the_end(home):
        _say("Four regencies keep their attendance: device logs, letters, decrees of a quarter.")
        size = f"--employees={employees}", f"--days={days}", f"--seed={seed}"
        _tertib(home, "simulate", "--out", str(data), *size)
        _say("Apache Kafka, PostgreSQL and three services start.")
        _tertib(home, "up")
        _say("Every fact is published in the order in which it became known; each workday closes")
        _say("at noon of the next. Bad rows are named, and the rest goes on.")
        _tertib(home, "backfill", str(data), "--report", str(home / "bad-rows.csv"), may_find=True)
        tables = {name: _table(home, name) for name in TABLES}
        _figures(home, tables)
        _case(home, tables)
    _farewell(home, tables, time.monotonic() - began)


def _figures(home: Path, tables: Mapping[str, list[dict[str, str]]]) -> None:
    statuses = Counter(row["status"] for row in tables["assessments"])
    states = Counter(row["state"] for row in tables["thresholds"])
    proposals = Counter(row["state"] for row in tables["proposals"])
    notices = Counter(row["outcome"] for row in tables["notices"])
    table = Table(title="What came of it", show_header=False)
    punches = sum(1 for log in (home / "dataset" / "attlog").iterdir() for _ in log.open("rb"))
    rows: list[tuple[str, str]] = [
        ("check-ins in the device logs", f"{punches:,}"),
        ("workdays assessed", f"{statuses.total():,}  ({_counts(statuses)})"),
        ("unexcused absences", f"{statuses['unexcused']:,}"),
        ("thresholds reached", f"{states.total():,}  ({_counts(states)})"),
        ("sanction proposals", f"{proposals.total():,}  ({_counts(proposals)})"),
        ("notices", f"{notices.total():,}  ({_counts(notices)})"),
    ]
    for row in rows:
        table.add_row(*row)
    STORY.print(table)


def _counts(of: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in of.most_common())


def _case(home: Path, tables: Mapping[str, list[dict[str, str]]]) -> None:
    """Show one person: the days that are not simply present, and what was proposed."""
    told = Counter(row["employee_id"] for row in tables["thresholds"])
    retracted = {r["employee_id"] for r in tables["thresholds"] if r["state"] == "retracted"}
    interesting = sorted(told, key=lambda who: (who not in retracted, abs(told[who] - 3), who))
    if not interesting:
        _say("Nobody reached a threshold.")
        return
    who = interesting[0]
    mine = [row for row in tables["proposals"] if row["employee_id"] == who]
    year = mine[0]["year"] if mine else tables["thresholds"][0]["year"]
    _say(f"One of them, {who}, day by day (Indonesian is the default; --lang en):")
    _tertib(home, "explain", who, "--year", year, "--counted", "--lang", "en")
    table = Table(title=f"What was proposed for {who}; a named official decides")
    for name in PROPOSED:
        table.add_column(name)
    for row in mine:
        table.add_row(*(row[name] for name in PROPOSED))
    STORY.print(table)


def _farewell(home: Path, tables: Mapping[str, list[dict[str, str]]], seconds: float) -> None:
    who = next((row["employee_id"] for row in tables["thresholds"]), "EMPLOYEE")
    tertib = f"TERTIB_HOME={home} {Path(sys.executable).parent / 'tertib'}"
    _say(f"Done in {seconds:.0f} s. The stack is stopped and kept. To look further:")
    for words in (
        "up",
        f"explain {who} --year 2026",
        "export proposals --format csv",
        "export assessments --regency 17.07 --from 2026-02-01 --to 2026-02-28",
        "parked list attendance",
        "rebuild attendance",
        "down",
    ):
        STORY.print(f"  {tertib} {words}", soft_wrap=True)
    STORY.print(f"  bad rows, to hand back to the sender: {home / 'bad-rows.csv'}", soft_wrap=True)


def _table(home: Path, name: str) -> list[dict[str, str]]:
    out = home / f"{name}.csv"
    _tertib(home, "export", name, "--out", str(out), quiet=True)
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@contextmanager
def _stopped_at_the_end(home: Path) -> Iterator[None]:
    try:
        yield
    finally:
        _tertib(home, "down", quiet=True)


def _say(sentence: str) -> None:
    STORY.print(f"[bold]»[/bold] {sentence}", soft_wrap=True)


def _tertib(home: Path, *words: str, quiet: bool = False, may_find: bool = False) -> None:
    """Run a command on the demo's stack. Errors: CannotRun with what it said, if it fails.

    `may_find`: exit code 1, a finding, is no failure. `quiet`: shown only if it fails.
    """
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TERTIB_")}
    done = subprocess.run(  # noqa: S603  (our own commands)
        [sys.executable, "-m", "shared.runtime.cli", *words],
        env={**plain, "TERTIB_HOME": str(home)},
        check=False,
        capture_output=quiet,
        text=True,
    )
    if done.returncode and not (may_find and done.returncode == 1):
        raise CannotRun(f"tertib {' '.join(words)} failed\n{done.stderr or ''}")
