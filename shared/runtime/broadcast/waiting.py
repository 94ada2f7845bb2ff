"""Telling people for whom or what a command waits: nobody waits without a word."""

from collections.abc import Callable

PATIENCE_SECONDS = 2.0  # From here on it is said, and again as often.

Waits = Callable[[str], None]  # Hears a sentence, and "" when the waiting is over.


def nobody_hears(_: str) -> None:
    """Tell nobody."""
