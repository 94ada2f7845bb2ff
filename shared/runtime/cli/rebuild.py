"""`tertib rebuild`: folds a projection again, compares, switches; or adopts its next version."""

import asyncio
import getpass
import json
import os
from typing import Annotated, Any

import asyncpg
import typer
from rich.console import Console
from rich.progress import Progress, TimeRemainingColumn
from rich.table import Table

from shared.errors import CannotRunError
from shared.runtime import settings
from shared.runtime.adoption import Adoption
from shared.runtime.cli.options import FOUND_SOMETHING, AsJson, ServiceName
from shared.runtime.cli.serve import built
from shared.runtime.hosting.service import Service
from shared.runtime.projection import Projection
from shared.runtime.rebuild.rebuild import rebuild
from shared.runtime.rebuild.refolding import Done, Report
from shared.runtime.rebuild.trial import Trial, tried

app = typer.Typer()

MOST_WORKERS = 4  # Unless more are asked for: each holds the digests of the partitions under way.

Workers = Annotated[
    int | None,
    typer.Option(
        min=1, help="Processes at most.", show_default="one for each processor, 4 at most"
    ),
]
Adopt = Annotated[
    int | None,
    typer.Option(min=1, help="Adopt this version of the fold, if the one so far is equal."),
]
Reason = Annotated[str | None, typer.Option(help="Why, for the log: sealed, and kept for ever.")]
Yes = Annotated[bool, typer.Option("--yes", help="Adopt without asking once more.")]


@app.command("rebuild")
def rebuild_command(  # noqa: PLR0913  (each an option)
    service: ServiceName,
    *,
    as_json: AsJson = False,
    workers: Workers = None,
    adopt: Adopt = None,
    reason: Reason = None,
    yes: Yes = False,
) -> None:
    """Fold a service's log from its beginning into new tables; switch if nothing differs.

    Sends nothing. Exit code 1 if a difference was found: the live tables stay as they are. With
    `--adopt` it then shows what another version of the fold would say otherwise, asks, and puts it
    on the log: from there on the service says the difference, as ordinary events.
    """
    told, made = settings.load(), built(service)
    adoption = None if adopt is None else _adoptable(made, reason)
    at_most = workers or min(os.cpu_count() or 1, MOST_WORKERS)
    projections = [make() for make in made.projections]
    reports = [asyncio.run(_rebuilt(each, told, at_most, quiet=as_json)) for each in projections]
    said = [_structured(report) for report in reports]
    if not as_json:
        for report in reports:
            _show(report)
    if not all(report.switched for report in reports):
        if as_json:
            typer.echo(json.dumps(said))
        raise typer.Exit(FOUND_SOMETHING)
    if adopt is not None and adoption is not None:
        (projection,) = (each for each in projections if each.says)
        trial = asyncio.run(_tried(projection, adoption, adopt, told))
        if not as_json:
            _show_trial(trial)
        sure = yes or (not as_json and typer.confirm(f"Adopt version {adopt}?", err=True))
        if sure:
            actor = getpass.getuser()
            asyncio.run(adoption.publish(told, adopt, reason or "", actor, _say))
        said[projections.index(projection)]["adoption"] = _structured_trial(trial, adopted=sure)
        if not as_json:
            typer.echo(
                "adopted, from here on the log" if sure else "nothing was adopted", err=True
            )
    if as_json:
        typer.echo(json.dumps(said))


def _adoptable(service: Service, reason: str | None) -> Adoption:
    """Give how a service adopts a version. Errors: CannotRunError if not, or without a reason."""
    if service.adoption is None:
        message = f"{service.name} has no other versions of its fold to adopt"
        raise CannotRunError(message)
    if not (reason or "").strip():
        message = "--adopt needs --reason: the log keeps why"
        raise CannotRunError(message)
    return service.adoption


async def _tried(
    projection: Projection[Any, Any], adoption: Adoption, version: int, told: settings.Settings
) -> Trial:
    url = told.database_url(projection.service)
    async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
        return await tried(projection, adoption, version, pool)


async def _rebuilt(
    projection: Projection[Any, Any], told: settings.Settings, workers: int, *, quiet: bool
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


def _say(waiting: str) -> None:
    """Show what the command waits for."""
    if waiting:
        typer.echo(waiting, err=True)


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


def _structured_trial(trial: Trial, *, adopted: bool) -> dict[str, Any]:
    return {
        "from": trial.adopted,
        "to": trial.version,
        "people": trial.people,
        "parked": trial.parked,
        "counts": dict(sorted(trial.counts.items())),
        "first": [change._asdict() for change in trial.first],
        "adopted": adopted,
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


def _show_trial(trial: Trial) -> None:
    """Show how many events another version would change, and the first of them."""
    counts = ", ".join(f"{n:,} {kind}s" for kind, n in sorted(trial.counts.items())) or "nothing"
    typer.echo(
        f"version {trial.version} instead of {trial.adopted}: {trial.people:,} people, {counts}",
        err=True,
    )
    if trial.parked:
        typer.echo(f"  {trial.parked:,} people wait in a queue, and are not counted", err=True)
    table = Table("", "who", "when", f"by version {trial.adopted}", f"by version {trial.version}")
    for change in trial.first:
        table.add_row(*change)
    if trial.first:
        Console(stderr=True).print(table)
        if (more := sum(trial.counts.values()) - len(trial.first)) > 0:
            typer.echo(f"  and {more:,} more", err=True)
