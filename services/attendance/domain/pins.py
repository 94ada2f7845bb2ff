"""The PIN rows of a regency's machines, and what is asked of them."""

from typing import NamedTuple

from shared.kernel.pins import holder


class PinRow(NamedTuple):
    """A PIN on a machine is a person's from a device-local day to another, inclusive."""

    begins: int
    ends: int
    employee_id: str


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
        rows = (self._rows[key] for key in self._of.get(employee_id, ()) if key[0] == serial)
        held = (holder(of_pin, day) for of_pin in rows)
        return any(row is not None and row.employee_id == employee_id for row in held)
