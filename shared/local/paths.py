"""Where a stack lives."""

import os
from pathlib import Path

import platformdirs


def default_home() -> Path:
    """Name the folder of the stack: TERTIB_HOME, or `tertib` in the user's data folder."""
    chosen = os.environ.get("TERTIB_HOME")
    return Path(chosen).expanduser().resolve() if chosen else platformdirs.user_data_path("tertib")
