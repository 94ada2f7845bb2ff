"""Where a person belonged on a date: lines as a dated history (semantics A3, A7)."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import date

from services.attendance.dataset.rows import Employee


class Histories:
    """The whole histories of everybody in a dataset."""

    def __init__(self, lines: Iterable[Employee]) -> None:
        by_person: dict[str, list[Employee]] = {}
        for line in sorted(lines, key=lambda e: (e.active_from, e.recorded_at, e.line)):
            by_person.setdefault(line.employee_id, []).append(line)
        self._of = {who: ([e.active_from for e in own], own) for who, own in by_person.items()}

    def __contains__(self, employee_id: str) -> bool:
        """Say whether the dataset has lines of a person."""
        return employee_id in self._of

    def __iter__(self) -> Iterator[str]:
        """Name everybody who has lines."""
        return iter(self._of)

    def line_on(self, employee_id: str, on: date) -> Employee:
        """Give the line in force on a date: the last begun, of equal ones the last recorded.

        Before the first line, the first. Errors: KeyError for somebody unknown.
        """
        begins, lines = self._of[employee_id]
        last = bisect_right(begins, on) or bisect_right(begins, begins[0])
        return lines[last - 1]

    def regency_on(self, employee_id: str, on: date) -> str:
        """Give the person's regency on a date, by the whole history. Errors: KeyError."""
        return self.line_on(employee_id, on).regency

    def first_known(self, employee_id: str) -> Employee:
        """Give the line that was recorded first. Errors: KeyError."""
        return min(self._of[employee_id][1], key=lambda e: (e.recorded_at, e.line))
