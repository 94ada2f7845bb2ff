"""`tertib rebuild`: a projection folded anew, compared, and switched."""

import asyncio
import json
import os
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, TimeRemainingColumn

from shared.runtime import settings
from shared.runtime.cli.serve import built
from shared.runtime.rebuild.rebuild import rebuild
from shared.runtime.rebuild.refolding import Done, Report

app = typer.Typer()

FOUND_SOMETHING = 1
MOST_WORKERS = 4  # Unless more are asked for: each holds the digests of the partitions under way.

Service = Annotated[str, typer.Argument(metavar="SERVICE", help="attendance, discipline, …")]
AsJson = Annotated[bool, typer.Option("--json", help="The same for machines.")]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1, help="Processes at most.", show_default="one for each processor, 4 at most"
    ),
]


@app.command("rebuild")
def rebuild_command(service: Service, *, as_json: AsJson = False, workers: Workers = None) -> None:
    """Fold a service's log anew beside its tables, compare, and switch if nothing differs.

    Sends nothing. Exit code 1 if a difference was found: the live tables stay as they are.
    """
    told = settings.load()
    reports = [
        asyncio.run(
            _rebuilt(
                make(), told, workers or min(os.cpu_count() or 1, MOST_WORKERS), quiet=as_json
            )
        )
        for make in built(service).projections
    ]
    if as_json:
        typer.echo(json.dumps([_structured(report) for report in reports]))
    else:
        for report in reports:
            _show(report)
    if not all(report.switched for report in reports):
        raise typer.Exit(FOUND_SOMETHING)


async def _rebuilt(
    projection: Any, told: settings.Settings, workers: int, *, quiet: bool
) -> Report:
    console = Console(stderr=True, quiet=quiet)
    columns = *Progress.get_default_columns()[:-1], TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(projection.name, total=None)

        def tick(done: Done) -> None:
            text = f"{projection.name}: {done.folded:,} records, {done.rate:,.0f}/s"
            bar.update(task, total=done.total, completed=done.folded, description=text)

        url = told.database_url(projection.service)
        return await rebuild(projection, told.bootstrap, url, tick, workers=workers)


def _structured(report: Report) -> dict[str, Any]:
    return {
        "projection": report.projection,
        "records": report.records,
        "events": report.events,
        "seconds": round(report.seconds, 3),
        "workers": report.workers,
        "switched": report.switched,
        "differences": report.differences,
    }


def _show(report: Report) -> None:
    rate = report.records / report.seconds if report.seconds else 0.0
    done = f"{report.projection}: {report.records:,} records in {report.seconds:.1f} s"
    typer.echo(f"{done} ({rate:,.0f}/s), {report.events:,} events compared", err=True)
    if report.switched:
        typer.echo("  nothing differs; the new tables are live, and nothing was sent", err=True)
        return
    typer.echo("  REFUSED: it differs from what was published; nothing was changed", err=True)
    for difference in report.differences:
        typer.echo(f"  - {difference}", err=True)
