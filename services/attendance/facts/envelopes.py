"""What every fact of this service has in its envelope, and how personal values are sealed."""

from typing import Any, NamedTuple

import msgspec

from services.attendance.facts.clock import LocalClock
from shared.events.base import Fact, Sealed
from shared.events.sealing import Sealer
from shared.events.structs import struct_of

SOURCE = "/attendance"
_SEALED: Any = struct_of(Sealed)


class FactContext(NamedTuple):
    """Whose fact it is: its subject, its tenant, and the clock that its times are told on."""

    subject: str
    regency: str
    clock: LocalClock


def sealed(
    sealer: Sealer, kind: type[Fact], kid: str, subject: str, text: str | None
) -> msgspec.Struct | None:
    """Seal a value, if there is one."""
    if text is None:
        return None
    found = sealer.seal(kid, kind.type_name(), subject, text)
    value: msgspec.Struct = _SEALED(kid=found.kid, ct=found.ct)
    return value
