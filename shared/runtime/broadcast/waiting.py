"""Shows people what a command waits for, as soon as it waits longer than two seconds."""

from collections.abc import Callable

PATIENCE_SECONDS = 2.0  # After so long it is shown, and again after each such time.

Waits = Callable[[str], None]  # Hears a sentence, and "" when the waiting is over.


def nobody_hears(_: str) -> None:
    """Show nothing."""
