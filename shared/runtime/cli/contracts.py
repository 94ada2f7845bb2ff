"""`tertib contracts`: writes or checks the documents of the events."""

from pathlib import Path
from typing import Annotated

import typer

from shared.runtime.cli.options import COULD_NOT_RUN, FOUND_SOMETHING
from shared.runtime.contracts.schemas import PROJECT, SCHEMAS, broken, documents, drifted

app = typer.Typer()


contracts = typer.Typer(no_args_is_help=True, help="Write or check the documents of the events.")


app.add_typer(contracts, name="contracts")

Folder = Annotated[Path, typer.Option("--project", help="The root of a checkout.")]


@contracts.command()
def write(project: Folder = PROJECT) -> None:
    """Write the schemas and the AsyncAPI document, unless that would break what is published."""
    _in_checkout(project)
    _refuse(broken(project))
    (project / SCHEMAS).mkdir(exist_ok=True)
    changed = drifted(project)
    wanted = documents()
    for name in changed:
        if name in wanted:
            (project / name).write_text(wanted[name])
        else:
            (project / name).unlink()
        typer.echo(name)
    typer.echo(f"{len(changed)} of {len(wanted)} files changed", err=True)


@contracts.command()
def check(project: Folder = PROJECT) -> None:
    """Compare the committed files with the models. Exit code 1: they differ or break readers."""
    _in_checkout(project)
    _refuse(broken(project))
    if changed := drifted(project):
        for name in changed:
            typer.echo(name)
        typer.echo("not what the models give: run `tertib contracts write`", err=True)
        raise typer.Exit(FOUND_SOMETHING)


def _refuse(found: list[str]) -> None:
    if found:
        for what in found:
            typer.echo(what)
        typer.echo("published types never change: add a field with a default, or a type", err=True)
        raise typer.Exit(FOUND_SOMETHING)


def _in_checkout(project: Path) -> None:
    if not (project / "docs").is_dir() or not (project / "shared/events").is_dir():
        typer.echo(f"{project} is no checkout of Tertib: name one with --project", err=True)
        raise typer.Exit(COULD_NOT_RUN)
