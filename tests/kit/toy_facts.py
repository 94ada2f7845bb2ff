"""What a toy hears: facts, as envelopes and as records of a log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.events import attendance
from shared.events.base import Fact
from shared.events.envelope import Envelope, canonical, fact_id, headers_of
from shared.events.structs import as_struct

REGENCY = "53.01"
BEGAN = datetime(2026, 1, 5, 7, 30, tzinfo=UTC)


def check_in(  # noqa: PLR0913  (all but three by name)
    subject: str,
    number: int,
    amount: int | str,
    *,
    via: Any = "mobile",
    regency: str = REGENCY,
    seq: int | None = None,
) -> Envelope:
    """See somebody, for so much. `seq`: as the event of another service, numbered."""
    at = BEGAN + timedelta(seconds=number)
    fact = attendance.CheckInRecorded(
        employee_id=subject, occurred_at=at, received_at=at, via=via, place=str(amount)
    )
    id_ = fact_id("toy", subject, number)
    return _envelope(fact, id_, subject, regency, at, subjectseq=seq)


def registered(number: int, regency: str = REGENCY) -> Envelope:
    """Register a regency; `number` counts the broadcasts."""
    fact = attendance.RegencyRegistered(
        code=regency, name="Kupang", province="53", timezone="Asia/Makassar"
    )
    return _broadcast(fact, number, regency)


def closed(number: int) -> Envelope:
    """Close a day: 100 more for everybody."""
    on = date(2026, 1, 5) + timedelta(days=number)
    return _broadcast(attendance.WorkdayClosed(regency=REGENCY, on=on), number, REGENCY)


def calendar(number: int, *subjects: str, failing: bool = False) -> Envelope:
    """Give 10 more to some by a calendar row; or by one that fails for the first."""
    name = ("failing:" if failing else "") + ",".join(subjects)
    on = date(2026, 1, 5) + timedelta(days=number)
    fact = attendance.CalendarPublished(on=on, scope=REGENCY, kind="holiday", name=name)
    return _broadcast(fact, number, REGENCY)


def impossible(number: int) -> Envelope:
    """Contradict what is known, by a broadcast."""
    return calendar(number, "impossible")


def passed_by(number: int) -> Envelope:
    """Say, to everybody, what the toy does not hear."""
    fact = attendance.FoldAdopted(service="attendance", version=2)
    return _broadcast(fact, number, REGENCY)


def _broadcast(fact: Fact, number: int, regency: str) -> Envelope:
    at = BEGAN + timedelta(days=1, seconds=number)
    return _envelope(fact, fact_id("toy", number), regency, regency, at, broadcastseq=number)


def _envelope(
    fact: Fact, id_: str, subject: str, regency: str, at: datetime, **attributes: Any
) -> Envelope:
    return Envelope(
        data=as_struct(fact),
        id=id_,
        recordedtime=at.isoformat(),
        regency=regency,
        source="/upstream",
        subject=subject,
        time=at.isoformat(),
        type=type(fact).type_name(),
        **attributes,
    )


@dataclass(frozen=True)
class Record:
    """A record with the attributes of aiokafka's."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = field(default=())


def record(topic: str, partition: int, offset: int, envelope: Envelope) -> Record:
    """Give the record of an envelope."""
    return Record(
        topic,
        partition,
        offset,
        envelope.subject.encode(),
        canonical(envelope),
        headers_of(envelope.type, envelope.id),
    )


def log_of(topic: str, partition: int, said: Iterable[Envelope | Record]) -> list[Record]:
    """Give the records of one partition, from offset 0; a record's bytes stay as they are."""
    return [
        replace(each, offset=at)
        if isinstance(each, Record)
        else record(topic, partition, at, each)
        for at, each in enumerate(said)
    ]
