"""Notifications' word of `tertib`: inbox."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from services.notifications.inboxes import read
from services.notifications.rendering import Language
from shared.runtime import settings

app = typer.Typer(no_args_is_help=True, help="Notices as people read them.")


@app.command("inbox")
def inbox_command(
    employee: Annotated[str, typer.Argument(help="An employee_id.", show_default=False)],
    *,
    lang: Annotated[Language, typer.Option(help="The language of the texts.")] = "id",
    limit: Annotated[int, typer.Option(min=1, max=200, help="No more than these.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="The same for machines.")] = False,
) -> None:
    """Show the notices that a person was given in the app, newest first."""
    letters = asyncio.run(read(settings.load(), employee, lang, limit))
    if as_json:
        typer.echo(json.dumps([asdict(letter) for letter in letters], ensure_ascii=False))
        return
    console = Console(highlight=False)
    for letter in letters:
        console.rule(letter.subject, align="left")
        console.print(letter.body, markup=False)
        console.print()
    if not letters:
        typer.echo(f"nothing was sent to the inbox of {employee}", err=True)
