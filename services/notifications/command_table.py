"""Notifications' commands: where each is, and its line in `tertib --help` (`tertib.commands`)."""

from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = {
    "inbox": (
        "services.notifications.commands:app",
        "Show the notices that a person was given in the app, newest first.",
    ),
}
