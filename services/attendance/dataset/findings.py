"""What is wrong or doubtful in a dataset, in words with which its sender can repair it (A17)."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from services.attendance.dataset.reasons import sentence

Severity = Literal["error", "warning"]
Place = tuple[str, int]  # A file and a line.
LONGEST_VALUE = 200  # Enough to find the cell; a file pasted into one is not repeated whole.


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark on one place of a dataset.

    `line` counts from 1, the header included; `value` is the cell as given; `code` is stable, its
    sentences stand in `reasons`. An error leaves the row out, a warning loads it.
    """

    file: str
    line: int
    field: str
    value: str
    code: str
    severity: Severity = "error"
    details: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def reason(self) -> str:
        """Say in English what is wrong."""
        return self.reason_in("en")

    def reason_in(self, language: str) -> str:
        """Say what is wrong in `en` or `id`. Errors: KeyError for another language."""
        return sentence(self.code, language, self.details)


class UnusableDatasetError(Exception):
    """A folder that cannot be loaded at all (exit code 2); the findings say why."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("; ".join(f"{f.file}: {f.field} {f.reason}" for f in self.findings))


class Findings:
    """Collects findings while a dataset is read."""

    def __init__(self) -> None:
        self._found: list[Finding] = []

    def __iter__(self) -> Iterator[Finding]:
        """Give them in the order in which they were found."""
        return iter(self._found)

    def error(self, place: Place, field: str, value: str, code: str, **details: str) -> None:
        """Note a row that cannot be read: it is left out."""
        self._found.append(Finding(*place, field, _shown(value), code, "error", details))

    def warn(self, place: Place, field: str, value: str, code: str, **details: str) -> None:
        """Note something doubtful: the row is loaded all the same."""
        self._found.append(Finding(*place, field, _shown(value), code, "warning", details))


def _shown(value: str) -> str:
    return value if len(value) <= LONGEST_VALUE else value[:LONGEST_VALUE] + "…"
