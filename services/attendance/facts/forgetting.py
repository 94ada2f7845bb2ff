"""Forgetting a person: the fact on the log first, then the key (design 3)."""

from datetime import UTC, datetime

import asyncpg
import msgspec

from services.attendance.facts.envelopes import SOURCE
from services.attendance.facts.publisher import refuse_wrong_clock
from services.attendance.projection.assessor import Assessor
from shared.events.attendance import FACTS, PersonForgotten
from shared.events.envelope import Envelope, fact_id
from shared.events.sealing import person_kid
from shared.events.structs import as_struct
from shared.runtime.broadcast.bulk import bulk_publisher
from shared.runtime.broadcast.waiting import Waits, nobody_hears
from shared.runtime.kafka import admin
from shared.runtime.privacy.keyring import PostgresKeyring
from shared.runtime.projection import Load
from shared.runtime.settings import Settings
from shared.runtime.storage.read import live_tables

_LAST_LINE = Load(
    "last_line",
    "SELECT data FROM {schema}.facts WHERE subject = ANY($1) AND kind = 'EmployeeRegistered'"
    " ORDER BY ordinal DESC LIMIT 1",
)


async def forget(
    employee_id: str, actor: str, settings: Settings, waits: Waits = nobody_hears
) -> bool:
    """Publish `PersonForgotten` and destroy the key; a repetition adds nothing.

    The fact is acknowledged before the key is destroyed: after a crash between the two, the log
    says that the person is forgotten, and the command can be repeated. A key is never lost without
    a fact on the log. False: the id is unknown. `waits` hears for whom or what it waits.
    Errors: CannotRunError for a wrong clock; those of the brokers and the databases.
    """
    url = settings.database_url("attendance")
    regency = await _regency(url, employee_id)
    if regency is None:
        return False
    await refuse_wrong_clock(url)
    await admin.ensure(settings.bootstrap, [FACTS], settings.replication)
    async with await PostgresKeyring.open(settings.keyring_url()) as keyring:
        async with bulk_publisher(
            url, settings.bootstrap, FACTS, "tertib forget", waits=waits
        ) as publisher:
            async with publisher.facts.transaction(shared={regency}, waits=waits) as tx:
                await tx.publish([_fact(employee_id, regency, actor)])
            await publisher.sent.everything()
        await keyring.forget(person_kid(employee_id))
    return True


def _fact(employee_id: str, regency: str, actor: str) -> Envelope:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Envelope(
        actor=actor,
        data=as_struct(PersonForgotten(employee_id=employee_id)),
        id=fact_id("PersonForgotten", employee_id),  # Once for ever: forgetting cannot be undone.
        recordedtime=now,
        regency=regency,
        source=SOURCE,
        subject=employee_id,
        time=now,
        type=PersonForgotten.type_name(),
    )


async def _regency(url: str, employee_id: str) -> str | None:
    """Give the regency of the person's last line, as far as it is applied; None: no line is."""
    connection = await asyncpg.connect(url)
    try:
        async with live_tables(connection, Assessor()) as tables:
            lines = await tables.rows(_LAST_LINE, employee_id) if tables is not None else []
    finally:
        await connection.close()
    return str(msgspec.json.decode(lines[0][0])["regency"]) if lines else None
