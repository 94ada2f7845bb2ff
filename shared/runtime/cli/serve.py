"""`tertib serve` and `tertib topics`: a service as a process, and the topics it needs."""

import asyncio
from collections.abc import Callable
from importlib import import_module

import typer

from shared import plugins
from shared.errors import CannotRunError
from shared.runtime import settings
from shared.runtime.cli.options import FOUND_SOMETHING, ServiceName
from shared.runtime.hosting.service import Service, serve
from shared.runtime.kafka import admin
from shared.runtime.observability import log
from shared.runtime.settings import SettingsError

GROUP = "tertib.services"

app = typer.Typer(no_args_is_help=True, help="Processes and topics.")


def built(name: str) -> Service:
    """Build a service by its name.

    Errors: SettingsError for a name that there is not; CannotRunError for one that cannot be
    loaded.
    """
    known = plugins.brought(GROUP)
    if name in known.broken:
        raise CannotRunError(f"{name} cannot be loaded: {known.broken[name]}")
    if name not in known.found:
        there = ", ".join(known.found)
        raise SettingsError(f"there is no service {name!r}; there are {there}{known.without()}")
    return built_by(known.found[name])


def built_by(launch: Callable[[], object]) -> Service:
    """Build the service that an entry point launches: `build` stands in the same module."""
    service: Service = import_module(launch.__module__).build()
    return service


@app.command("serve")
def run(service: ServiceName) -> None:
    """Run one service until it is told to stop."""
    made = built(service)
    told = settings.load()
    log.configure(told.log)
    raise typer.Exit(asyncio.run(serve(made, told)))


@app.command("topics")
def create_topics() -> None:
    """Create the topics that are missing; those that exist are left as they are."""
    told = settings.load()
    given = plugins.brought(GROUP, lambda launch: built_by(launch).topics())
    names = sorted({topic for topics in given.found.values() for topic in topics})
    asyncio.run(admin.ensure(told.bootstrap, names, told.replication))
    typer.echo(f"{len(names)} topics are there: {', '.join(names)}", err=True)
    for name, why in given.broken.items():
        typer.echo(f"{name} cannot be loaded, its topics were not looked at: {why}", err=True)
    if given.broken:
        raise typer.Exit(FOUND_SOMETHING)
