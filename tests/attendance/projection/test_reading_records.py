"""What the assessor decodes of a record: all that it judges by, and no more."""

from types import SimpleNamespace
from typing import Any

import pytest

from services.attendance.projection.assessor import Assessor
from shared.events import attendance as words
from shared.events.envelope import Envelope, canonical, headers_of
from shared.runtime.processing.decoder import Decoder, Park

TYPE = words.CheckInRecorded.type_name()
AT = "2026-01-05T07:30:00+08:00"
WHOLE = {
    "employee_id": "E1",
    "occurred_at": AT,
    "received_at": AT,
    "via": "device",
    "device": {"serial": "D1", "pin": "1", "status": "255", "verify": "1"},
}


def read(data: dict[str, Any]) -> Envelope | Park | None:
    value = canonical(
        Envelope(
            data=data,
            id="1",
            recordedtime=AT,
            regency="53.01",
            source="/attendance",
            subject="E1",
            time=AT,
            type=TYPE,
        )
    )
    record = SimpleNamespace(headers=headers_of(TYPE, "1"), key=b"E1", value=value)
    return Decoder(Assessor())(record)[0]


@pytest.mark.parametrize("evidence", [{"device": 7}, {"received_at": "?"}, {"via": None}])
def test_evidence_that_cannot_be_read_keeps_nobody_waiting(evidence: dict[str, Any]) -> None:
    """Status, verification and arrival decide nothing (A15, A16): the check-in is folded."""
    heard = read(WHOLE | evidence)

    assert isinstance(heard, Envelope)
    assert heard.data.occurred_at.isoformat() == AT


@pytest.mark.parametrize("judged", [{"occurred_at": "2026-01-05 07:30"}, {"employee_id": None}])
def test_what_is_judged_must_be_readable(judged: dict[str, Any]) -> None:
    """Nobody's workday rests on a guess."""
    heard = read(WHOLE | judged)

    assert isinstance(heard, Park)
    assert heard.reason == "decode"
