"""From thresholds on Kafka to proposals in PostgreSQL and in the export."""

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

import asyncpg

from services.discipline.exports import PROPOSALS
from services.discipline.projections import Cases
from shared.events import attendance
from shared.events.envelope import canonical
from shared.runtime.export.tables import Filters, export_table
from shared.runtime.processing.in_memory import project
from tests.discipline.examples import reached, retracted
from tests.discipline.test_projections import enveloped
from tests.kit.flow import Log, caught_up, prefixed, running

THREE, FOUR = reached("/attendance/A@1", 3), reached("/attendance/A@2", 4)
OTHER = reached("/attendance/B@1", 7, person="B")
NEWS = [THREE, OTHER, FOUR, retracted("/attendance/A@3", FOUR)]

EXPORT = b"""\
case_id,employee_id,year,measure,days,level,sanction,article,rule_set,state
A-2026-PNS,A,2026,cumulative,3,ringan,teguran_lisan,9(2) b,pp94-2021@1,proposed
A-2026-PNS,A,2026,cumulative,4,ringan,teguran_tertulis,9(2) b,pp94-2021@1,withdrawn
B-2026-PNS,B,2026,cumulative,7,ringan,pernyataan_tidak_puas,9(2) b,pp94-2021@1,proposed
"""


async def test_thresholds_become_proposals_once_however_often_they_are_delivered(
    bootstrap: str, database: str, topic_prefix: str
) -> None:
    """Each record twice, a restart in the middle: the same rows, the same bytes as in memory."""
    log = Log(bootstrap, topic_prefix)
    log.create(attendance.EVENTS)
    events = enveloped(NEWS)
    for some in (events[:2], events[2:]):
        log.publish(attendance.EVENTS, some, copies=2)
        cases = prefixed(Cases(), topic_prefix)
        async with running(log, cases, database) as runner:
            await caught_up(log, runner)

    assert await exported(database, Filters()) == EXPORT
    told = await outbox(database)
    assert {person: [v for p, v in told if p == person] for person in "AB"} == {
        person: [canonical(e) for e in project(Cases(), events) if e.subject == person]
        for person in "AB"
    }


async def test_an_export_leaves_out_what_is_not_asked_for(
    bootstrap: str, database: str, topic_prefix: str
) -> None:
    log = Log(bootstrap, topic_prefix)
    log.create(attendance.EVENTS)
    log.publish(attendance.EVENTS, enveloped(NEWS))
    async with running(log, prefixed(Cases(), topic_prefix), database) as runner:
        await caught_up(log, runner)

    elsewhere = await exported(database, Filters(regency="53.71"))
    assert elsewhere.count(b"\n") == 1
    # The last absences lie on 3 (A, three days), 4 (A) and 7 January (B).
    some = await exported(database, Filters(first_on=date(2026, 1, 4), last_on=date(2026, 1, 6)))
    assert [line.split(b",")[1:5:3] for line in some.splitlines()[1:]] == [[b"A", b"4"]]
    assert await exported(database, Filters(regency="53.01")) == EXPORT


async def exported(database: str, filters: Filters) -> bytes:
    out = io.BytesIO()
    connection = await asyncpg.connect(database)
    try:
        await export_table(connection, PROPOSALS, filters, format_="csv", out=None, standard=out)
    finally:
        await connection.close()
    return out.getvalue()


async def outbox(database: str) -> Sequence[tuple[Any, ...]]:
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch("SELECT key, payload FROM tertib.events ORDER BY xid, id")
    finally:
        await connection.close()
    return [tuple(row) for row in rows]
