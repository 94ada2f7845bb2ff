"""`tertib serve` and `tertib topics`: a service as a process, and the topics it needs."""

import asyncio
from importlib import import_module
from typing import Annotated

import typer

from shared.runtime import settings
from shared.runtime.cli import plugins
from shared.runtime.hosting.service import Service, serve
from shared.runtime.kafka import admin
from shared.runtime.observability import log
from shared.runtime.settings import SettingsError

GROUP = "tertib.services"

app = typer.Typer(no_args_is_help=True, help="Processes and topics.")

Name = Annotated[str, typer.Argument(metavar="SERVICE", help="attendance, discipline, …")]


def installed() -> dict[str, str]:
    """Name the services that are installed, each with the module that has its `build`."""
    return {name: launch.__module__ for name, launch in plugins.loaded(GROUP).items()}


def built(name: str) -> Service:
    """Build a service by its name. Errors: SettingsError for a name that there is not."""
    known = installed()
    if name not in known:
        message = f"there is no service {name!r}; there are {', '.join(known)}{plugins.left_out()}"
        raise SettingsError(message)
    service: Service = import_module(known[name]).build()
    return service


@app.command("serve")
def run(service: Name) -> None:
    """Run one service until it is told to stop."""
    told = settings.load()
    log.configure(told.log)
    raise typer.Exit(asyncio.run(serve(built(service), told)))


@app.command("topics")
def create_topics() -> None:
    """Create the topics that are missing; those that exist are left as they are."""
    told = settings.load()
    names = sorted({topic for name in installed() for topic in built(name).topics()})
    asyncio.run(admin.ensure(told.bootstrap, names, told.replication))
    typer.echo(f"{len(names)} topics are there: {', '.join(names)}", err=True)
