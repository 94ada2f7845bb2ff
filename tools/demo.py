"""The demo: four regencies, a quarter, from device logs to delivered notices, told as a story.

It runs the very commands that an office would: simulate, up, backfill, export, explain. The stack
is its own; it is stopped at the end and kept, so that one can look further.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from shared.errors import CannotRunError

TABLES = ("assessments", "thresholds", "proposals", "notices")
PROPOSED = ("measure", "days", "level", "sanction", "article", "state")
STORY = Console(stderr=True, highlight=False)
Rows = list[dict[str, str]]


def run(employees: int, days: int, seed: int) -> None:
    """Run the whole job in a stack of its own, and print what came of it.

    Errors: CannotRunError, with what a command said that failed.
    """
    from shared.local.paths import default_home  # noqa: PLC0415  (not installed in production)

    began = time.monotonic()
    # In a folder of its own below the user's stack: the demo removes its own and no other.
    home = Path(os.environ.get("TERTIB_HOME") or default_home()).expanduser().resolve() / "demo"
    data = home / "dataset"
    _say(f"A stack of its own in {home}; an older demo there is removed.")
    _tertib(home, "down", quiet=True)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    with _stopped_at_the_end(home):
        size = f"--employees={employees}", f"--days={days}", f"--seed={seed}"
        made = json.loads(_tertib(home, "simulate", "--out", str(data), *size, "--json"))
        _say(
            f"Four regencies keep their attendance: {made['employees']:,} people,"
            f" {made['machines']} fingerprint machines, {made['punches']:,} punches in their logs;"
            " besides letters, decrees, outages, late uploads."
        )
        _say("Apache Kafka, PostgreSQL and three services start.")
        _tertib(home, "up")
        _say(
            "Every fact is published in the order in which it became known; each workday closes at"
            " noon of the next."
        )
        where = "--through", made["through"], "--report", str(home / "bad-rows.csv")
        done = json.loads(_tertib(home, "backfill", str(data), *where, "--json", may_find=True))
        _findings(done["findings"])
        tables = {name: _table(home, name) for name in TABLES}
        _figures(made["punches"], done["rows"]["facts"], tables)
        who = _chosen(tables["thresholds"])
        if who is not None:
            _case(home, who, tables)
    _farewell(home, who or "EMPLOYEE", made["through"][:4], time.monotonic() - began)


def _findings(findings: Iterable[Mapping[str, Any]]) -> None:
    """Say what was wrong with the dataset, each kind once: a real one is never clean."""
    kinds = Counter((f["severity"], f["field"], f["reason"]) for f in findings)
    _say("What was wrong with the files; bad rows are left out and named, the rest is loaded:")
    table = Table(box=SIMPLE, show_header=False, pad_edge=False)
    for (severity, column, reason), count in sorted(kinds.items()):
        table.add_row(f"{count:>6} x", severity, f"{column} {reason}".strip())
    STORY.print(table)


def _figures(punches: int, facts: int, tables: Mapping[str, Rows]) -> None:
    statuses = Counter(row["status"] for row in tables["assessments"])
    thresholds = Counter(row["state"] for row in tables["thresholds"])
    proposals = Counter(row["state"] for row in tables["proposals"])
    delivered = Counter(r["channel"] for r in tables["notices"] if r["outcome"] == "delivered")
    unsent = Counter(
        row["reason"].replace("_", " ")
        for row in tables["notices"]
        if row["outcome"] != "delivered"
    )
    table = Table(title="What came of it", show_header=False, title_justify="left")
    for name, count, parts in (
        ("check-ins in device logs", punches, ""),
        ("facts on the log", facts, ""),
        ("workdays assessed", statuses.total(), _counts(statuses)),
        ("unexcused absences", statuses["unexcused"], ""),
        ("thresholds reached", thresholds.total(), _counts(thresholds)),
        ("sanction proposals", proposals.total(), _counts(proposals)),
        ("notices delivered", delivered.total(), _counts(delivered)),
        ("notices not sent", unsent.total(), _counts(unsent)),
    ):
        table.add_row(name, f"{count:>7,}", parts)
    STORY.print(table)
    if unsent["channel off"]:
        _say("Mail and WhatsApp are off here: set TERTIB_SMTP_URL, TERTIB_WEBHOOK_URL to send.")


def _counts(of: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in of.most_common())


def _chosen(thresholds: Rows) -> str | None:
    """Choose a person to show: preferably one of whom a threshold was retracted."""
    told = Counter(row["employee_id"] for row in thresholds)
    retracted = {row["employee_id"] for row in thresholds if row["state"] == "retracted"}
    return min(told, key=lambda who: (who not in retracted, abs(told[who] - 3), who), default=None)


def _case(home: Path, who: str, tables: Mapping[str, Rows]) -> None:
    """Show one person: the days that are not simply present, and what was proposed."""
    mine = [row for row in tables["proposals"] if row["employee_id"] == who]
    years = [row["year"] for row in tables["thresholds"] if row["employee_id"] == who]
    _say(f"One of them, {who}, day by day (in Indonesian without `--lang en`):")
    STORY.print()
    _tertib(home, "explain", who, "--year", years[0], "--counted", "--lang", "en", shown=True)
    table = Table(
        title=f"What was proposed for {who}; a named official decides", title_justify="left"
    )
    for name in PROPOSED:
        table.add_column(name)
    for row in mine:
        table.add_row(*(row[name].replace("_", " ") for name in PROPOSED))
    STORY.print(table)
    _say("The latest notice in the inbox, as delivered (names are opened only to be read):")
    STORY.print()
    _tertib(home, "inbox", who, "--limit", "1", shown=True)


def _farewell(home: Path, who: str, year: str, seconds: float) -> None:
    _say(f"Done in {seconds:.0f} s. The stack is stopped and kept. To look further:")
    STORY.print(f"\n  export TERTIB_HOME={home}", soft_wrap=True)
    tertib = Path(sys.executable).parent / "tertib"
    for words in (
        "up",
        f"explain {who} --year {year}",
        f"inbox {who} --lang en",
        "export proposals --format csv",
        f"export assessments --regency 17.07 --from {year}-02-01 --to {year}-02-28",
        "parked list attendance",
        "rebuild attendance",
        "down",
    ):
        STORY.print(f"  {tertib} {words}", soft_wrap=True)
    STORY.print(
        f"\n  bad rows, to hand back to the sender: {home / 'bad-rows.csv'}", soft_wrap=True
    )


def _table(home: Path, name: str) -> Rows:
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
    STORY.print(f"[bold]>[/bold] {sentence}")


def _tertib(
    home: Path, *words: str, quiet: bool = False, shown: bool = False, may_find: bool = False
) -> str:
    """Run a command on the demo's stack, and give its standard output unless that is `shown`.

    `quiet`: what it says on the way is shown only if it fails. `may_find`: exit code 1, a
    finding, is no failure. Errors: CannotRunError if it fails.
    """
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TERTIB_")}
    done = subprocess.run(  # noqa: S603  (our own commands)
        [sys.executable, "-m", "shared.runtime.cli", *words],
        env={**plain, "TERTIB_HOME": str(home)},
        check=False,
        stdout=None if shown else subprocess.PIPE,
        stderr=subprocess.PIPE if quiet else None,
        text=True,
    )
    if done.returncode and not (may_find and done.returncode == 1):
        raise CannotRunError(f"tertib {' '.join(words)} failed\n{done.stderr or ''}")
    return done.stdout or ""
