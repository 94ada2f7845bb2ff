"""Where a person belonged on a date: lines as a dated history (semantics A3, A7)."""

from collections.abc import Iterable, Iterator
from datetime import date

from services.attendance.dataset.rows import Employee
from shared.kernel.lines import line_or_first


class Histories:
    """The whole histories of everybody in a dataset."""

    def __init__(self, lines: Iterable[Employee]) -> None:
        self._of: dict[str, list[Employee]] = {}
        for line in sorted(lines, key=lambda e: (e.active_from, e.recorded_at, e.line)):
            self._of.setdefault(line.employee_id, []).append(line)

    def __contains__(self, employee_id: str) -> bool:
        """Say whether the dataset has lines of a person."""
        return employee_id in self._of

    def __iter__(self) -> Iterator[str]:
        """Name everybody who has lines."""
        return iter(self._of)

    def line_on(self, employee_id: str, on: date) -> Employee:
        """Give the line in force on a date; before the first line, the first (A3, A7).

        Errors: KeyError for somebody unknown.
        """
        return line_or_first(self._of[employee_id], on)

    def regency_on(self, employee_id: str, on: date) -> str:
        """Give the person's regency on a date, by the whole history. Errors: KeyError."""
        return self.line_on(employee_id, on).regency

    def first_known(self, employee_id: str) -> Employee:
        """Give the line that was recorded first. Errors: KeyError."""
        return min(self._of[employee_id], key=lambda e: (e.recorded_at, e.line))
