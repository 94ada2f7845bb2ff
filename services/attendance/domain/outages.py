"""Declared outages: no data is not absence (semantics B9, B10)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.kernel.local_time import instant_of

FOREVER = 2**62


@dataclass(frozen=True)
class Outage:
    """An outage of a regency, unit or machine. Units: instants, inclusive."""

    id: str
    unit_id: str | None
    serial: str | None
    begins: int
    ends: int

    def __str__(self) -> str:
        """Show it with times instead of instants, for messages."""
        where = self.unit_id or self.serial or "the whole regency"
        begins, ends = (
            "further notice" if at == FOREVER else datetime.fromtimestamp(at, UTC).isoformat()
            for at in (self.begins, self.ends)
        )
        return f"{where} from {begins} to {ends}"


def outage_from(data: Any) -> Outage:
    """Make an outage of an `OutageDeclared` (as struct)."""
    ends = FOREVER if data.ends_at is None else instant_of(data.ends_at)
    return Outage(data.outage_id, data.unit_id, data.serial, instant_of(data.begins_at), ends)
