"""`tertib export`: the tables that services declare, from their databases to a file."""

import asyncio
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from shared import plugins
from shared.runtime import settings
from shared.runtime.export.tables import Export, Filters, export_table
from shared.runtime.export.writers import Format

GROUP = "tertib.exports"

app = typer.Typer(no_args_is_help=True, help="The state as tables.")

ISO = ["%Y-%m-%d"]


def exports() -> tuple[dict[str, Export], plugins.Brought]:
    """Give the tables of the services that are installed, by name, and what is left out."""
    brought = plugins.brought(GROUP)
    return {export.name: export for each in brought.found.values() for export in each}, brought


@app.command("export")
def export_(  # noqa: PLR0913  (each is a word of the command)
    name: Annotated[str, typer.Argument(help="assessments, thresholds, proposals, …")],
    *,
    format_: Annotated[Format, typer.Option("--format", help="The form of the table.")] = "csv",
    regency: Annotated[
        str | None, typer.Option(help="Rows of one regency, as it was on their date.")
    ] = None,
    from_: Annotated[
        datetime | None, typer.Option("--from", formats=ISO, help="The first date.")
    ] = None,
    to: Annotated[
        datetime | None, typer.Option("--to", formats=ISO, help="The last date, inclusive.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A file, instead of standard output.")] = None,
) -> None:
    """Give a table of the state as CSV, JSON lines or Parquet."""
    known, brought = exports()
    if name not in known:
        message = (
            f"there is no table {name!r}; there are {', '.join(sorted(known))}{brought.without()}"
        )
        raise typer.BadParameter(message, param_hint="NAME")
    if out is not None and not out.absolute().parent.is_dir():
        message = f"there is no folder {out.absolute().parent}"
        raise typer.BadParameter(message, param_hint="--out")
    filters = Filters(regency, _day(from_), _day(to))
    rows = asyncio.run(_written(known[name], filters, format_, out))
    if out is not None:
        typer.echo(f"{rows:,} rows in {out}", err=True)


async def _written(export: Export, filters: Filters, form: Format, out: Path | None) -> int:
    url = settings.load().database_url(export.service)
    connection = await asyncpg.connect(url)
    try:
        return await export_table(
            connection, export, filters, format_=form, out=out, standard=sys.stdout.buffer
        )
    except asyncpg.UndefinedTableError as error:
        message = f"{export.service} has no tables yet: it was never started (`tertib up`)"
        raise settings.SettingsError(message) from error
    finally:
        await connection.close()


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None
