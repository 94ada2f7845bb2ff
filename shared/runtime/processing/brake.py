"""The brake: stops a partition before a bad deployment has parked everything (kafka.md 9)."""

from dataclasses import dataclass

from shared.runtime.limits import Limits


@dataclass
class Brake:
    """Stops a partition before a bad deployment has parked everything (kafka.md 9).

    The window moves on by half its size at a time, so that two counts are enough.
    """

    limits: Limits
    in_a_row: int = 0
    seen: int = 0
    parked: int = 0
    parked_before: int = 0

    def passed(self, records: int) -> None:
        """Count records that went by."""
        self.seen += records
        if self.seen >= self.limits.window // 2:
            self.seen, self.parked_before, self.parked = 0, self.parked, 0

    def grips(self) -> str | None:
        """Give the reason why one more record must not be parked; None if it may be."""
        if self.in_a_row >= self.limits.in_a_row:
            return f"{self.in_a_row} records parked in a row"
        if self.parked + self.parked_before >= self.limits.share:
            return f"{self.limits.share} of {self.limits.window} records parked"
        return None

    def count(self) -> None:
        """Count a parked record."""
        self.in_a_row += 1
        self.parked += 1
