"""`tertib recover`: what a publisher knows of its facts, read back from the topic after a loss."""

import asyncio
from typing import Annotated

import typer

from shared.errors import CannotRunError
from shared.runtime import settings
from shared.runtime.cli.serve import built
from shared.runtime.recovery.facts import recover_facts

app = typer.Typer()

Name = Annotated[str, typer.Argument(metavar="SERVICE", help="attendance")]


@app.command("recover")
def recover_command(service: Name) -> None:
    """Take over the facts on the topic after a service's database was lost or restored.

    Only where that database is lost for ever: two that publish would number broadcasts twice.
    What the service concluded is recovered by itself, at its next start.
    """
    told, made = settings.load(), built(service)
    if made.facts is None:
        message = f"{service} publishes no facts: start it, and it recovers by itself"
        raise CannotRunError(message)
    found = asyncio.run(recover_facts(told.database_url(service), told.bootstrap, made.facts))
    typer.echo(
        f"{made.facts}: {found.broadcasts:,} broadcasts and {found.facts:,} facts taken over",
        err=True,
    )
