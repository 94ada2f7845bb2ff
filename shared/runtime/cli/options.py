"""Arguments, options and exit codes that several commands of `tertib` share (design 8.2)."""

from typing import Annotated

import typer

FOUND_SOMETHING = 1
COULD_NOT_RUN = 2

ServiceName = Annotated[str, typer.Argument(metavar="SERVICE", help="attendance, discipline, …")]
AsJson = Annotated[bool, typer.Option("--json", help="The same for machines.")]
