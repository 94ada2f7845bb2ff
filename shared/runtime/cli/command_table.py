"""The commands that belong to no service: where each is, and its line in `tertib --help`."""

from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = {
    "up": (
        "shared.local.commands:app",
        "Start the local stack and the services, and return when all of it answers.",
    ),
    "down": (
        "shared.local.commands:app",
        "Stop the services and the local stack; the data stay.",
    ),
    "status": (
        "shared.local.commands:app",
        "Show every server and service, its process, its port, and whether it answers.",
    ),
    "serve": (
        "shared.runtime.cli.serve:app",
        "Run one service until it is told to stop.",
    ),
    "topics": (
        "shared.runtime.cli.serve:app",
        "Create the topics that are missing; those that exist are left as they are.",
    ),
    "contracts": (
        "shared.runtime.cli.contracts:app",
        "Write or check the documents of the events.",
    ),
    "export": (
        "shared.runtime.cli.export:app",
        "Give a table of the state as CSV, JSON lines or Parquet.",
    ),
    "parked": (
        "shared.runtime.cli.parked:app",
        "Records that a projection could not apply.",
    ),
    "rebuild": (
        "shared.runtime.cli.rebuild:app",
        "Fold a service's log from its beginning into new tables; switch if nothing differs.",
    ),
    "recover": (
        "shared.runtime.cli.recover:app",
        "Take over the facts on the topic after a service's database was lost or restored.",
    ),
}
