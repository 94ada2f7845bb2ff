"""What every fact of this service has in its envelope, and how personal values are sealed."""

from typing import NamedTuple

from shared.events.base import Fact, Sealed
from shared.events.envelope import source_of
from shared.events.sealing import Sealer
from shared.events.structs import maker_of
from shared.kernel.local_time import LocalClock

SOURCE = source_of("attendance")
_sealed = maker_of(Sealed)


class FactContext(NamedTuple):
    """A fact's subject, its tenant, and the clock of its times."""

    subject: str
    regency: str
    clock: LocalClock


def sealed(sealer: Sealer, kind: type[Fact], kid: str, subject: str, text: str) -> Sealed:
    """Seal a value of a fact of this kind and subject. Errors: KeyError without a key."""
    found = sealer.seal(kid, kind.type_name(), subject, text)
    return _sealed(kid=found.kid, ct=found.ct)
