"""Attendance's words of `tertib`: preview, backfill, forget, explain, simulate, demo."""

import asyncio
import getpass
import json
import os
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn

from services.attendance import demo
from services.attendance.edge.backfilling import Sent, backfill
from services.attendance.edge.cuts import closing_at
from services.attendance.edge.dataset.dataset import Dataset
from services.attendance.edge.forgetting import forget
from services.attendance.edge.plan import plan
from services.attendance.explaining.reading import explained
from services.attendance.explaining.words import LANGUAGES, as_tables, structured
from services.attendance.opening import fail, finish, opened, say, until
from services.attendance.previewing import preview, stages
from services.attendance.simulate.simulation import simulate
from shared.events.sealing import Redacting
from shared.runtime import settings
from shared.runtime.exporting import write_csv
from shared.runtime.waiting import Left, settled

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
    for name, (columns, rows) in preview(facts, stages()).items():
        table = list(rows)
        write_csv(out / f"{name}.csv", columns, table)
        written[name] = len(table)
    summary = {"through": last.isoformat(), "out": str(out), "rows": written}
    finish(dataset.findings, summary, as_json=as_json, lang=lang)


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
    ensure_running()
    sent, left = asyncio.run(_backfilled(dataset, last))
    summary: dict[str, object] = {
        "through": last.isoformat(),
        "rows": {"facts": sent.facts, "new facts": sent.new},
        "forgotten": sent.forgotten,
        "parked": left.parked,
    }
    finish(dataset.findings, summary, [*_remarks(sent, left)], as_json=as_json, lang=lang)


def _remarks(sent: Sent, left: Left) -> Iterator[str]:
    if sent.forgotten:
        yield f"people who are forgotten: {sent.forgotten}; nothing of them was published"
    if left.parked:
        yield f"{left.parked} records could not be applied and wait: see `tertib parked list`"


async def _backfilled(dataset: Dataset, last: date) -> tuple[Sent, Left]:
    """Publish and wait, with a bar for each: by the date reached, and by the records left."""
    told = settings.load()
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

        sent = await backfill(dataset, last, told, tick)
        bar.update(publishing, total=1, completed=1)
        catching = bar.add_task("catching up", total=None)
        most = 1

        def left(now: Left) -> None:
            nonlocal most
            most = max(most, now.records + now.due)
            done = most - now.records - now.due
            bar.update(catching, total=most, completed=done)

        return sent, await settled(told, left)


@app.command("forget")
def forget_command(
    employee: Annotated[str, typer.Argument(help="An employee_id.", show_default=False)],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Destroy a person's key: what the log holds of name, NIP and letters is never read again."""
    if not yes:
        typer.confirm(f"Nobody can undo this. Forget {employee}?", abort=True, err=True)
    told = settings.load()
    if not asyncio.run(forget(employee, getpass.getuser(), told)):
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


@app.command("demo")
def demo_command(
    employees: Annotated[int, typer.Option(min=40)] = 400,
    days: Annotated[int, typer.Option(min=60)] = 90,
    seed: Annotated[int, typer.Option()] = 1,
) -> None:
    """Run four regencies' quarter from device logs to delivered notices, told as a story."""
    demo.run(employees, days, seed)


@app.command("simulate")
def simulate_command(
    out: Annotated[Path, typer.Option(help="A folder that does not exist yet.")],
    employees: Annotated[int, typer.Option(min=1)] = 400,
    days: Annotated[int, typer.Option(min=1)] = 90,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Make a dataset folder with every hard case in it; names and NIPs are invented."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("machines", total=None)
        try:
            made = simulate(
                out,
                employees,
                days,
                seed,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        except FileExistsError:
            fail(f"{out} exists already: name a new folder")
    said = {**made._asdict(), "through": made.through.isoformat(), "out": str(out)}
    if as_json:
        print(json.dumps(said))
    else:
        say(
            f"{made.employees} people, {made.machines} machines, {made.punches} punches,"
            f" {made.check_ins} other check-ins in {out}; through {made.through}"
        )


def ensure_running() -> None:
    """Start the local stack and its services, unless the environment names other servers."""
    if os.environ.get(settings.BOOTSTRAP):
        return
    # In production none of it is installed.
    from shared.local.commands import installed_services, up  # noqa: PLC0415  (see above)
    from shared.local.stack import LocalStack  # noqa: PLC0415  (see above)

    stack = LocalStack()
    ready = {each.name for each in stack.service_status() if each.ready}
    if not stack.running or not ready.issuperset(each.name for each in installed_services()):
        up()
