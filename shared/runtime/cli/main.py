"""`tertib`: the one entry point. Commands are found by name and imported when they are called.

A service's commands come from the entry points `tertib.commands`: a table that gives for each name
where its Typer app is (`module:app`) and its line of help, so that `--help` imports no command.
One that is not installed is left out.
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

from shared import plugins
from shared.errors import CannotRunError
from shared.runtime.cli.command_table import COMMANDS
from shared.runtime.cli.options import COULD_NOT_RUN

GROUP = "tertib.commands"

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
        return sorted(commands())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Give a command; None: there is none of that name."""
        del ctx
        known = commands()
        if cmd_name not in known:
            return None
        where, _ = known[cmd_name]
        return get_group(EntryPoint(cmd_name, where, GROUP).load()).commands[cmd_name]

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
            formatter.write_dl(sorted((name, line) for name, (_, line) in commands().items()))

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
    if isinstance(error, CannotRunError):
        return str(error)
    from shared.events.base import UnknownFoldVersionError  # noqa: PLC0415  (help needs no models)
    from shared.runtime.observability.log import frames, masked  # noqa: PLC0415  (needed when all is lost)

    package = type(error).__module__.partition(".")[0]
    if package in OTHERS:
        why = f"{type(error).__name__}: {error}"
        return masked(f"{OTHERS[package]} did not do what was asked, see `tertib status` ({why})")
    if isinstance(error, ConnectionError | TimeoutError):
        return masked(f"a server does not answer: {error}; `tertib status` shows the local ones")
    if isinstance(error, ModuleNotFoundError):
        return f"this needs the package {error.name}, which is not installed here"
    if isinstance(error, OSError | ImportError | UnknownFoldVersionError):
        return masked(str(error))
    return f"this should not happen; please report it with these lines:\n{frames(error)}"


def commands() -> dict[str, tuple[str, str]]:
    """Give every command: where it is, and its line of help; no service takes a name of ours."""
    found: dict[str, tuple[str, str]] = {}
    for service, table in plugins.brought(GROUP).found.items():
        if not isinstance(table, Mapping):
            raise CannotRunError(f"{service} was installed from an older source: run `make setup`")
        found |= table
    return {**found, **COMMANDS}
