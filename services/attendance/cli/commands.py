"""Attendance's words of `tertib`: preview, backfill, forget, explain."""

import asyncio
import getpass
import json
import os
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn

from services.attendance.backfill.plan import plan
from services.attendance.backfill.publish import ContradictedError, Sent, backfill
from services.attendance.cli.dataset_input import fail, finish, opened, refused, say, until
from services.attendance.dataset.closings import closing_at
from services.attendance.dataset.dataset import Dataset
from services.attendance.explain.restore import explained
from services.attendance.explain.words import LANGUAGES, as_tables, structured
from services.attendance.facts.forgetting import forget
from shared.events.sealing import Redacting
from shared.runtime import settings
from shared.runtime.export.writers import write_csv
from shared.runtime.hosting.catch_up import Remaining, wait_until_caught_up
from shared.runtime.processing.preview_pipeline import preview, stages

app = typer.Typer(no_args_is_help=True, help="What officials do with attendance.")

Folder = Annotated[Path, typer.Argument(help="A dataset folder.", show_default=False)]
Through = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"], help="The last workday to close; else all that becomes known."
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Load nothing if any row is bad.")]
AsJson = Annotated[bool, typer.Option("--json", help="The same for machines, on stdout.")]
ReportFile = Annotated[
    Path | None, typer.Option("--report", help="Bad rows as CSV, to hand back to the sender.")
]
Language = Annotated[str, typer.Option("--lang", help="id or en.")]


@app.command("preview")
def preview_command(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="Where the tables are written.")],
    through: Through = None,
    strict: Strict = False,
    as_json: AsJson = False,
    report_file: ReportFile = None,
    lang: Language = "en",
) -> None:
    """Say what a backfill would give, in memory; nothing is published."""
    dataset = opened(folder, report_file, lang, strict=strict, as_json=as_json)
    last = until(dataset, through)
    facts = (planned.envelope for planned in plan(dataset, last, Redacting()))
    out.mkdir(parents=True, exist_ok=True)
    written: dict[str, int] = {}
    given, broken = stages()
    for name, (columns, rows) in preview(facts, given).items():
        table = list(rows)
        write_csv(out / f"{name}.csv", columns, table)
        written[name] = len(table)
    summary = {"through": last.isoformat(), "out": str(out), "rows": written, "broken": broken}
    remarks = [f"{name} is left out, it cannot be loaded: {why}" for name, why in broken.items()]
    finish(dataset.findings, summary, remarks, as_json=as_json, lang=lang)


@app.command("backfill")
def backfill_command(
    folder: Folder,
    through: Through = None,
    strict: Strict = False,
    as_json: AsJson = False,
    report_file: ReportFile = None,
    lang: Language = "en",
) -> None:
    """Publish a dataset's facts, close its workdays, and wait until every service caught up."""
    dataset = opened(folder, report_file, lang, strict=strict, as_json=as_json)
    last = until(dataset, through)
    broken = ensure_running()
    try:
        sent, left = asyncio.run(_backfilled(dataset, last))
    except ContradictedError as error:
        refused(error.findings, report_file, lang, as_json=as_json)
    broken = {**left.gone, **broken}  # Why it cannot start says more than its silence.
    summary: dict[str, object] = {
        "through": last.isoformat(),
        "rows": {"facts": sent.facts, "new facts": sent.new},
        "forgotten": sent.forgotten,
        "not_closed": {
            code: [day.isoformat() for day in days] for code, days in sent.not_closed.items()
        },
        "unheard": {
            code: [day.isoformat() for day in days] for code, days in sent.unheard.items()
        },
        "parked": left.parked,
        "broken": broken,
    }
    remarks = [*_remarks(sent, left, broken)]
    finish(dataset.findings, summary, remarks, as_json=as_json, lang=lang)


def _remarks(sent: Sent, left: Remaining, broken: Mapping[str, str]) -> Iterator[str]:
    if sent.forgotten:
        yield f"people who are forgotten: {sent.forgotten}; nothing of them was published"
    for code, (first, closed) in sorted(sent.not_closed.items()):
        yield (
            f"{code}: the dataset begins with {first}, and closings on the log with {closed}:"
            f" workdays before {closed} are not closed"
        )
    for code, (begin, end) in sorted(sent.unheard.items()):
        yield (
            f"{code}: workdays from {begin} to {end} are closed, and the dataset has no check-in"
            " of them: who was required and has no letter is absent. Load the missing folder, or"
            " declare an outage"
        )
    if left.parked:
        yield f"{left.parked} records could not be applied and wait: see `tertib parked list`"
    for name, why in broken.items():
        yield f"{name} was not waited for: {why}"


async def _backfilled(dataset: Dataset, last: date) -> tuple[Sent, Remaining]:
    """Publish and wait, with a bar for each: by the date reached, and by the records left."""
    configured = settings.load()
    with Progress(
        *Progress.get_default_columns(), TimeElapsedColumn(), console=Console(stderr=True),
        transient=True,
    ) as bar:  # fmt: skip
        publishing = bar.add_task("publishing", total=None)
        began: list[int] = []
        end = closing_at(dataset, next(iter(dataset.regencies)), last)

        def tick(facts: int, at: int) -> None:
            began.append(at) if not began else None
            bar.update(
                publishing,
                total=max(1, end - began[0]),
                completed=at - began[0],
                description=f"{facts:,} facts published",
            )

        def waits(word: str) -> None:
            bar.update(publishing, description=word or "publishing")

        sent = await backfill(dataset, last, configured, tick, waits)
        bar.update(publishing, total=1, completed=1)
        catching = bar.add_task("catching up", total=None)
        most = 1

        def left(now: Remaining) -> None:
            nonlocal most
            most = max(most, now.records + now.due)
            done = most - now.records - now.due
            bar.update(catching, total=most, completed=done)

        return sent, await wait_until_caught_up(configured, left)


@app.command("forget")
def forget_command(
    employee: Annotated[str, typer.Argument(help="An employee_id.", show_default=False)],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Destroy a person's key: what the log holds of name, NIP and letters is never read again."""
    if not yes:
        typer.confirm(f"Nobody can undo this. Forget {employee}?", abort=True, err=True)
    configured = settings.load()
    if not asyncio.run(forget(employee, getpass.getuser(), configured, _say_if_any)):
        fail(f"there is no employee {employee}: nothing was ever heard of that id")
    say(f"{employee} is forgotten: nothing of that id is published or readable from now on")


@app.command("explain")
def explain_command(
    employee: Annotated[str, typer.Argument(help="An employee_id.", show_default=False)],
    year: Annotated[int, typer.Option(min=2000, max=2100)],
    lang: Annotated[str, typer.Option(help="id or en.")] = "id",
    counted: Annotated[
        bool, typer.Option("--counted", help="Only the days that are not simply present.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say day by day what counted and why, for the employee to read."""
    if lang not in LANGUAGES:
        fail(f"--lang is id or en, not {lang}")
    days = asyncio.run(explained(settings.load(), employee, year))
    if days is None:
        fail(f"there is no employee {employee}: nothing was ever heard of that id")
    if counted:
        days = [day for day in days if day.status != "present" or day.reached]
    if as_json:
        print(json.dumps([structured(day, lang) for day in days], ensure_ascii=False))
    else:
        Console().print(*as_tables(employee, year, days, lang))


def _say_if_any(word: str) -> None:
    if word:
        say(word)


def ensure_running() -> dict[str, str]:
    """Start the local stack and its services, unless the environment names other servers.

    Gives why some cannot be started, by name: they do not hold up the others.
    """
    if os.environ.get(settings.BOOTSTRAP):
        return {}
    # In production none of it is installed.
    from shared.local.commands import installed_services, start  # noqa: PLC0415  (see above)
    from shared.local.stack import LocalStack  # noqa: PLC0415  (see above)

    stack = LocalStack()
    ready = {each.name for each in stack.service_status() if each.ready}
    services, broken = installed_services()
    if stack.running and ready.issuperset(each.name for each in services):
        return broken
    return start(stack)
