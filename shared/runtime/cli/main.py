"""`tertib`: the one entry point. Commands are found by name and imported when they are called.

A service's commands come from the entry points `tertib.commands` (`module:app`, a Typer app with
functions under `@app.command(…)`). One that is not installed is left out.
"""

import sys
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.metadata import EntryPoint, version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_group

from shared.errors import CannotRun
from shared.runtime.cli import plugins
from shared.runtime.cli.discovery import commands_of

COULD_NOT_RUN = 2
GROUP = "tertib.commands"

# What belongs to no service: the modules that have commands in their `app`.
OWN = tuple(
    EntryPoint(module, f"{module}:app", GROUP)
    for module in (
        "shared.local.commands",
        "shared.runtime.cli.serve",
        "shared.runtime.cli.contracts",
        "shared.runtime.cli.export",
        "shared.runtime.cli.parked",
        "shared.runtime.cli.rebuild",
    )
)

# Whose failures these are, by the package that raises them.
OTHERS: Mapping[str, str] = {
    "confluent_kafka": "the brokers",
    "cimpl": "the brokers",  # What confluent_kafka's exceptions say they come from.
    "aiokafka": "the brokers",
    "asyncpg": "the database",
}


class Commands(TyperGroup):
    """Looks a command up where it is, and imports nothing else for it."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name all commands there are."""
        del ctx
        return sorted(_helps())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Give a command; None: there is none of that name."""
        del ctx
        for point in _points():
            if cmd_name in commands_of(point):
                return get_group(point.load()).commands[cmd_name]
        return None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that is meant; for one that is not there, say which is near."""
        try:
            return super().resolve_command(ctx, args)
        except TyperException as error:
            if near := get_close_matches(args[0], self.list_commands(ctx)):
                error.message += f" Did you mean {' or '.join(near)}?"
            raise

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_helps().items()))

    def invoke(self, ctx: Any) -> Any:
        """Run a command. What is logged meanwhile goes to standard error, as all logs do."""
        from shared.runtime import settings  # noqa: PLC0415  (help needs neither)
        from shared.runtime.observability import log  # noqa: PLC0415  (help needs neither)

        log.configure(settings.log_form_of_process())
        return super().invoke(ctx)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Attendance, discipline and notices of civil servants, on one permanent log.",
)


def _version(wanted: bool) -> None:  # noqa: FBT001  (typer's form)
    if wanted:
        typer.echo(version("tertib"))
        raise typer.Exit


@app.callback()
def tertib(
    *,
    version_: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Attendance, discipline and notices of civil servants, on one permanent log."""
    del version_


def main() -> None:
    """Run a command and end the process: 0 done, 1 a finding, 2 could not run, 130 Ctrl-C."""
    try:
        get_group(app).main(prog_name="tertib")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001  (the last place: told in a line, or with its origin)
        typer.echo(_told(error), err=True)
        sys.exit(COULD_NOT_RUN)


def _told(error: Exception) -> str:
    """Say what went wrong: in one line if one can do something about it."""
    if isinstance(error, CannotRun):
        return str(error)
    from shared.runtime.observability.log import frames, masked  # noqa: PLC0415  (needed when all is lost)

    package = type(error).__module__.partition(".")[0]
    if package in OTHERS:
        why = f"{type(error).__name__}: {error}"
        return masked(f"{OTHERS[package]} did not do what was asked, see `tertib status` ({why})")
    if isinstance(error, ConnectionError | TimeoutError):
        return masked(f"a server does not answer: {error}; `tertib status` shows the local ones")
    if isinstance(error, ModuleNotFoundError):
        return f"this needs the package {error.name}, which is not installed here"
    if isinstance(error, OSError | ImportError):
        return masked(str(error))
    return f"this should not happen; please report it with these lines:\n{frames(error)}"


def _points() -> list[EntryPoint]:
    """Name where commands are, ours first: no service can take their names."""
    return [*OWN, *plugins.points(GROUP)]


def _helps() -> dict[str, str]:
    """Give every command's name and what it does, in a line."""
    found: dict[str, str] = {}
    for point in _points():
        found = {**commands_of(point), **found}
    return found
