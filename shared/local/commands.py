"""`tertib up`, `tertib down`, `tertib status`: the local stack as long-running processes.

Progress goes to standard error, the answer to standard output. Exit codes: 0
done, 1 a finding (something does not run), 2 could not run (design 8.2).
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from shared.local.errors import StackError
from shared.local.processes import Service, ServiceStatus
from shared.local.servers import Say, ServerStatus
from shared.local.stack import LocalStack
from shared.plugins import brought

FINDING = 1
COULD_NOT_RUN = 2
SERVICES_GROUP = "tertib.services"

app = typer.Typer(no_args_is_help=True, help="The local stack: Kafka, PostgreSQL, the services.")


def installed_services() -> tuple[list[Service], dict[str, str]]:
    """Find the services that are installed, by the entry points `tertib.services`.

    Each value is a `module:function` without arguments that gives the argument list and the health
    port (0: the stack chooses one, and tells the process by TERTIB_HEALTH_PORT). And, by name, why
    those that are installed cannot be loaded.
    """
    given = brought(SERVICES_GROUP, lambda launch: launch())
    return [Service(name, argv, port) for name, (argv, port) in given.found.items()], given.broken


def progress() -> Say:
    """Give a function that reports each step with the seconds since the start (stderr)."""
    begun = time.monotonic()

    def say(what: str) -> None:
        typer.echo(f"[{time.monotonic() - begun:5.1f} s] {what}", err=True)

    return say


@contextmanager
def explained() -> Iterator[None]:
    """Turn a StackError into one line on standard error and exit code 2."""
    try:
        yield
    except StackError as failure:
        typer.echo(str(failure), err=True)
        raise typer.Exit(COULD_NOT_RUN) from failure


Nodes = Annotated[
    int | None,
    typer.Option(help="Kafka nodes of a new stack, 1 or 3; an old one keeps its own.", min=1),
]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


@app.command()
def up(nodes: Nodes = None) -> None:
    """Start the local stack and the services, and return when all of it answers."""
    if nodes not in {None, 1, 3}:
        message = "a stack has 1 node or 3"
        raise typer.BadParameter(message)
    say = progress()
    with explained():
        stack = LocalStack(nodes=nodes)
        broken = start(stack, say)
    say(f"up: Kafka {stack.kafka_bootstrap}, PostgreSQL port {stack.postgres.port}")
    say(f"folder: {stack.home}")
    if broken:
        raise typer.Exit(FINDING)


def start(stack: LocalStack, say: Say | None = None) -> dict[str, str]:
    """Start a stack and all services; those that cannot start are named, the others run.

    Gives why, by name. Errors: StackError if the servers cannot be started.
    """
    say = say or progress()
    stack.up(say)
    services, broken = installed_services()
    broken |= stack.start_services(services, say)
    for name, why in broken.items():
        say(f"{name} cannot start: {why}")
    return broken


@app.command()
def down() -> None:
    """Stop the services and the local stack; the data stay."""
    say = progress()
    with explained():
        LocalStack().down(say)
    say("down")


@app.command()
def status(*, as_json: Json = False) -> None:
    """Show every server and service, its process, its port, and whether it answers.

    Exit code 1 if anything that belongs to the stack does not.
    """
    with explained():
        stack = LocalStack()
        servers, services = stack.status(), stack.service_status()
    well = bool(servers) and all(one.healthy for one in servers)
    well = well and all(one.ready for one in services)
    if as_json:
        content = {
            "home": str(stack.home),
            "well": well,
            "servers": [asdict(one) for one in servers],
            "services": [asdict(one) for one in services],
        }
        typer.echo(json.dumps(content, indent=2))
    else:
        _show(stack, servers, services, typer.echo)
    if not well:
        raise typer.Exit(FINDING)


def _show(
    stack: LocalStack,
    servers: list[ServerStatus],
    services: list[ServiceStatus],
    line: Callable[[str], None],
) -> None:
    if not servers:
        line(f"no stack in {stack.home}")
        return
    line(f"{'name':<16} {'process':>8} {'port':>6}  state")
    for server in servers:
        _row(server.name, server.pid, server.port, "answers" if server.healthy else "silent", line)
    for service in services:
        _row(service.name, service.pid, service.port, _readiness(ready=service.ready), line)
    line(f"folder: {stack.home}")


def _readiness(*, ready: bool) -> str:
    return "ready" if ready else "not ready"


def _row(name: str, pid: int | None, port: int, state: str, line: Callable[[str], None]) -> None:
    line(f"{name:<16} {pid or '-':>8} {port:>6}  {state if pid else 'stopped'}")


if __name__ == "__main__":
    sys.exit(app())
