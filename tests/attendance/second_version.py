"""A second version of the assessor's fold, as nobody runs it: one small rule is another.

Version 2: who is more than ten minutes late was not there that day. It stands where a product's
own change would stand: the rule asks the version, and everything else is the code of version 1.
"""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from services.attendance.domain import assessor, day_status
from services.attendance.domain.day_status import Moment
from services.attendance.domain.person import Day, Line
from services.attendance.domain.reference_data import Ask
from services.attendance.projection.assessor import Assessor
from shared.events.attendance import FoldAdopted
from shared.events.envelope import Envelope, fact_id
from shared.events.structs import as_struct

GRACE = 10  # Minutes.


class SecondVersion(Assessor):
    """The assessor with a second version of its fold; see `allow`."""

    fold_versions: Sequence[int] = (1, 2)


def read(now: Moment, day: int, line: Line | None, found: Ask | None, before: Day | None) -> Day:
    """Read a day as `day_status.read` does, by the version that holds."""
    after = day_status.read(now, day, line, found, before)
    if now.knowledge.fold_version < 2 or after.status != "present" or after.late <= GRACE:
        return after
    return replace(
        after, status="unexcused", late=0, early=0, missed=(), window=day, converts=None
    )


def adoption(moment: str, number: int, version: int = 2) -> Envelope:
    """Adopt a version of attendance's fold, as the broadcast of this number."""
    return Envelope(
        broadcastseq=number,
        data=as_struct(FoldAdopted(service="attendance", version=version)),
        id=fact_id("FoldAdopted", version, number),
        recordedtime=moment,
        regency="*",
        source="/attendance",
        subject="*",
        time=moment,
        type=FoldAdopted.type_name(),
    )


def adopting(facts: Sequence[Envelope], at: int) -> list[Envelope]:
    """Put the adoption of version 2 onto a log, before its fact number `at`."""
    number = 1 + max((fact.broadcastseq or 0 for fact in facts[:at]), default=0)
    behind = [
        fact if fact.broadcastseq is None else replace(fact, broadcastseq=fact.broadcastseq + 1)
        for fact in facts[at:]
    ]
    return [*facts[:at], adoption(facts[at].recordedtime, number), *behind]


def allow(patch: pytest.MonkeyPatch) -> None:
    """Let the fold know the rule of version 2."""
    patch.setattr(assessor, "read", read)
