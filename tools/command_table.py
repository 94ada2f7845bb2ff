"""The commands for trying it out: where each is, and its line in `tertib --help`."""

from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": (
        "tools.commands:app",
        "Run four regencies' quarter from device logs to delivered notices, told as a story.",
    ),
    "simulate": (
        "tools.commands:app",
        "Make a dataset folder with every hard case in it; names and NIPs are invented.",
    ),
}
