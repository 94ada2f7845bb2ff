"""The planner as a projection: one row for each notice, and back from rows to notices.

What is ours on the log is *told*: it is heard back from our own topic. Live that changes nothing,
as the row is there already; a rebuild, or a restored database, learns from it what was sent.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text

from services.notifications import domain, policy
from services.notifications.notices import Notice, Notices
from shared.events import attendance, discipline, notifications
from shared.events.base import Fact, NewEvent
from shared.events.envelope import Envelope
from shared.events.notifications import (
    NotificationDelivered,
    NotificationFailed,
    NotificationQueued,
)
from shared.events.structs import as_struct
from shared.runtime.projection import Changes, Load, ProjectionBase, Row, Rule

OURS: Sequence[type[domain.Told]] = (
    NotificationQueued,
    NotificationDelivered,
    NotificationFailed,
)

NOTICES = Table(
    "notices",
    MetaData(),
    Column("subject", Text(collation="C"), primary_key=True, comment="the person concerned"),
    Column("notification_id", Text, primary_key=True),
    Column("recipient_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("details", Text, nullable=False, comment="JSON: codes and counts for the text"),
    Column("about_event_id", Text, nullable=False),
    Column("regency", Text, nullable=False),
    Column("outcome", Text, nullable=False, comment="queued, delivered, failed"),
    Column("attempts", Integer, nullable=False),
    Column("reason", Text, comment="a code; null unless failed"),
)
# The sender looks for what is queued among years of what is settled.
Index("notices_queued", NOTICES.c.notification_id, postgresql_where=NOTICES.c.outcome == "queued")

KEPT = Load(
    "kept",
    "SELECT subject, notification_id, recipient_id, role, channel, template, details,"
    " about_event_id, regency, outcome, attempts, reason"
    " FROM {schema}.notices WHERE subject = ANY($1)",
)


class Planned:
    """The notices about one person; which of them are not written down yet, and their tenants.

    They are decoded from their rows on first use: for this service's own events, read back from
    its topic, they are never needed.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.regencies: dict[str, str] = {row[1]: row[8] for row in rows}
        self.unwritten: set[str] = set()
        self._rows = rows

    @cached_property
    def notices(self) -> Notices:
        """Give the notices; another value may be put in their place."""
        return Notices({row[1]: notice_of(row) for row in self._rows})


class Planner(ProjectionBase[Planned, None]):
    """Consumes attendance's and discipline's events; keeps the notices about each person."""

    name = "notifications.planner"
    service = "notifications"
    version = 1
    # Its own topic first: a rebuild then knows what was told before it concludes what should be.
    topics: Sequence[str] = (notifications.EVENTS, discipline.EVENTS, attendance.EVENTS)
    hears: Sequence[type[Fact]] = (*domain.HEARS, *OURS)
    tables: Sequence[Table] = (NOTICES,)
    loads: Sequence[Load] = (KEPT,)
    says: Sequence[type[Fact]] = OURS
    rules: Mapping[str, Rule] = {name: Rule(text) for name, text in policy.rows().items()}
    commands = True  # The sender writes the same person's stream.

    def restore(self, subject: str, rows: Mapping[str, Sequence[Row]], /) -> Planned:
        """Give the notices from the rows of `kept`."""
        return Planned(rows.get(KEPT.name, ()))

    def fold(
        self,
        state: Planned,
        heard: Envelope,
        knowledge: None,
        last_seq: int,
        /,
    ) -> Sequence[NewEvent]:
        """Plan notices for an event of another service; apply one of this service as given."""
        said = understood(heard)
        if isinstance(said, domain.Heard):
            return tell(state, said, heard.regency)
        apply(state, said, heard.regency)
        return []

    def changes(self, state: Planned, /) -> Iterable[tuple[str, Changes]]:
        """Give the row of every notice that changed since it was last asked."""
        wanted, state.unwritten = state.unwritten, set()
        if not wanted:
            return
        rows = [
            row_of(notice, state.regencies[each])
            for each, notice in state.notices.by_id.items()
            if each in wanted
        ]
        yield NOTICES.name, Changes(upserts=rows)


def tell(state: Planned, said: domain.Heard | domain.Command, regency: str) -> list[NewEvent]:
    """Apply an event or a command to the state, and give the events that follow."""
    told = domain.decide(said, state.notices)
    for event in told:
        apply(state, event, regency)
    return [NewEvent(type(event), as_struct(event), regency) for event in told]


def apply(state: Planned, event: domain.Told, regency: str) -> None:
    """Apply one event of this service; one that is read back from the log changes nothing."""
    after = domain.evolve(state.notices, event)
    if after != state.notices:
        state.notices = after
        state.regencies.setdefault(event.notification_id, regency)
        state.unwritten.add(event.notification_id)


def understood(heard: Envelope) -> domain.Heard | domain.Told:
    """Turn an envelope into the domain's input, or into one of its own events."""
    for ours in OURS:
        if heard.type == ours.type_name():
            return ours.model_validate(heard.data, from_attributes=True)
    kinds = {kind.type_name(): kind for kind in domain.HEARS}
    return domain.Heard(
        heard.id, kinds[heard.type].model_validate(heard.data, from_attributes=True)
    )


def notice_of(row: Row) -> Notice:
    """Give a notice from a row of `kept`."""
    (
        subject,
        id_,
        recipient,
        role,
        channel,
        template,
        details,
        about,
        _,
        outcome,
        attempts,
        reason,
    ) = row
    queued = NotificationQueued(
        notification_id=id_,
        employee_id=subject,
        recipient_id=recipient,
        role=role,
        channel=channel,
        about_event_id=about,
        template=template,
        details=json.loads(details),
    )
    return Notice(queued, outcome, attempts, reason)


def row_of(notice: Notice, regency: str) -> Row:
    """Give the row of a notice, in the order of the table's columns."""
    queued = notice.queued
    return (
        queued.employee_id,
        queued.notification_id,
        queued.recipient_id,
        queued.role,
        queued.channel,
        queued.template,
        json.dumps(queued.details, sort_keys=True),
        queued.about_event_id,
        regency,
        notice.outcome,
        notice.attempts,
        notice.reason,
    )
