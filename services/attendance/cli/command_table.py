"""Attendance's commands: where each is, and its line in `tertib --help` (`tertib.commands`)."""

from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = {
    "preview": (
        "services.attendance.cli.commands:app",
        "Say what a backfill would give, in memory; nothing is published.",
    ),
    "backfill": (
        "services.attendance.cli.commands:app",
        "Publish a dataset's facts, close its workdays, and wait until every service caught up.",
    ),
    "forget": (
        "services.attendance.cli.commands:app",
        "Destroy a person's key: what the log holds of name, NIP and letters is never read again.",
    ),
    "explain": (
        "services.attendance.cli.commands:app",
        "Say day by day what counted and why, for the employee to read.",
    ),
}
