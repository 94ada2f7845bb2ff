"""Transactions refused one after the other: counted, named, tried again ever more slowly."""

from dataclasses import dataclass

from shared.runtime.processing.store_port import WriteConflictError
from shared.runtime.storage.failures import UNAVAILABLE, refusal_of

# Somebody was faster, or the database was away for a moment: it takes more to be worth a word.
MANY = 5
FIRST_PAUSE = 0.2


@dataclass
class Refusals:
    """What was refused since a transaction was last written. `passing`: it may pass by itself."""

    times: int = 0
    error: str = ""
    passing: bool = True
    _slow: int = 0

    def note(self, error: BaseException) -> None:
        """Count one more."""
        self.times += 1
        self.error = refusal_of(error)
        self.passing = isinstance(error, (WriteConflictError, *UNAVAILABLE))
        self._slow += not isinstance(error, WriteConflictError)

    def end(self) -> None:
        """Note that one was written, or that there is nothing to write any more."""
        self.times, self.error, self.passing, self._slow = 0, "", True, 0

    @property
    def reason(self) -> str | None:
        """Say why nothing is written; None: as far as is known, it is."""
        if self.passing and self.times < MANY:
            return None
        return f"every write is refused, {self.times} in a row: {self.error}"

    def pause(self, longest: float) -> float:
        """Say how many seconds to wait before it is tried again; a lost race is run at once."""
        return min(longest, FIRST_PAUSE * 2 ** min(self._slow - 2, 10)) if self._slow > 1 else 0.0
