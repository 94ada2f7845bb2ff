"""Whose PIN it is on a date: of overlapping rows the last begun; has it ended, nobody's (A9)."""

from collections.abc import Iterable
from typing import NamedTuple

NEVER = 2**31


class PinRow(NamedTuple):
    """A PIN on a machine is a person's from a device-local day to another, inclusive."""

    begins: int
    ends: int
    employee_id: str


def holder(rows: Iterable[PinRow], day: int) -> str | None:
    """Give whose PIN it is on a day; of rows that begin together the last recorded."""
    last: PinRow | None = None
    for row in rows:
        if row.begins <= day and (last is None or row.begins >= last.begins):
            last = row
    return last.employee_id if last is not None and last.ends >= day else None


class PinBook:
    """The PIN rows of a regency's machines, as recorded so far."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], list[PinRow]] = {}
        self._of: dict[str, set[tuple[str, str]]] = {}

    def assign(self, serial: str, pin: str, row: PinRow) -> None:
        """Take a row."""
        self._rows.setdefault((serial, pin), []).append(row)
        self._of.setdefault(row.employee_id, set()).add((serial, pin))

    def holders(self, serial: str, pin: str) -> frozenset[str]:
        """Name everybody who was ever assigned a PIN: a new row can touch those before it."""
        return frozenset(row.employee_id for row in self._rows.get((serial, pin), ()))

    def has_pin(self, employee_id: str, serial: str, day: int) -> bool:
        """Say whether a person has a PIN on that machine on that day."""
        return any(
            holder(self._rows[key], day) == employee_id
            for key in self._of.get(employee_id, ())
            if key[0] == serial
        )

    def serials_of(self, employee_id: str) -> set[str]:
        """Name the machines on which a person ever had a PIN."""
        return {serial for serial, _ in self._of.get(employee_id, ())}
