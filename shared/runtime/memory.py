"""The states that a runner keeps between batches while its claim holds."""

from collections.abc import Iterable
from typing import Any

from shared.runtime.batch import Entry, Partition, add_name
from shared.runtime.projection import Projection


class Memory:
    """Entries by subject. Where others write the same subjects, nothing is kept (`commands`)."""

    def __init__(self, projection: Projection[Any, Any]) -> None:
        self.projection = projection
        self.entries: dict[str, Entry] = {}

    def take(self, entries: Iterable[Entry], held: Partition) -> None:
        """Put entries into memory, and new subjects among the partition's names."""
        for entry in entries:
            self.entries[entry.subject] = entry
            if not entry.version:
                add_name(held, entry.subject)

    def trim(self, most: int) -> None:
        """Keep within bounds after a commit, when nothing in memory is unwritten."""
        if self.projection.commands or len(self.entries) > most:
            self.entries.clear()

    def clear(self) -> None:
        """Forget everything: its partitions are in doubt, or others'."""
        self.entries.clear()
