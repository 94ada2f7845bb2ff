"""Facts as entries of a plan: their order (A10), their ids by natural keys (A14)."""

from collections import Counter
from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple

from services.attendance.facts.envelopes import SOURCE, FactContext
from shared.events.base import Fact
from shared.events.envelope import Envelope, fact_id
from shared.events.structs import model_of

# Facts without `recorded_at` were told before all others (semantics A6).
BEFORE_ALL = 0


class Planned(NamedTuple):
    """One fact of the plan, in the order in which facts became known.

    `at` is the instant at which it became known; `key` its key on the log, None for a broadcast.
    """

    at: int
    kind: type[Fact]
    envelope: Envelope
    key: str | None


def planned(id_: str, context: FactContext, at: int, data: Fact) -> Planned:
    """Put a fact into its envelope; it happened when told. `data`: made by `maker_of`."""
    kind = model_of(data)
    known = context.clock.iso(at)
    envelope = Envelope(
        data=data,
        id=id_,
        recordedtime=known,
        regency=context.regency,
        source=SOURCE,
        subject=context.subject,
        time=known,
        type=kind.type_name(),
    )
    return Planned(at, kind, envelope, None if kind.BROADCAST else context.subject)


class Rank(IntEnum):
    """What comes first of facts that become known in the same second (semantics A10)."""

    PINS = 0
    SCHEDULES = 1
    RULE_SETS = 2
    EMPLOYEES = 3
    SHIFTS = 4
    CALENDAR = 5
    EXCUSES = 6
    REVOCATIONS = 7
    OUTAGES = 8
    PUNCHES = 9
    CHECK_INS = 10
    CLOSINGS = 11


class Entry(NamedTuple):
    """A fact's place in the plan, and how it is made when its turn comes.

    The first five decide the order (A10); `code` parts the facts of one row for several regencies.
    """

    at: int
    rank: int
    file: str
    line: int
    code: str
    make: Callable[[], Planned]


class Ordinals:
    """Ids by natural keys; rows that are equal in theirs are told apart by their number (A14)."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[Any, ...]] = Counter()

    def id(self, kind: type[Fact], *natural: str | int | None) -> str:
        """Give the id of the next row with this natural key."""
        key = (kind, *natural)
        self._seen[key] += 1
        return fact_id(kind.__name__, *natural, self._seen[key] - 1)
