"""The planner: whom to tell, what, and by which channel. Pure: no clock, no database, no topic.

Two topics are consumed in no defined order, so nothing here depends on that order: everything a
notice needs comes with its event. Names, addresses and heads of units are looked up by the sender.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from services.notifications.notices import Notice, Notices, Outcome, notification_id
from services.notifications.policy import AUDIENCE, CHANNELS, News, details_of, recipient_of
from shared.events.notifications import (
    NotificationDelivered,
    NotificationFailed,
    NotificationQueued,
)

Told = NotificationQueued | NotificationDelivered | NotificationFailed


class Heard(NamedTuple):
    """An event of another service, with the id of its envelope."""

    event_id: str
    said: News


class Delivered(NamedTuple):
    """The sender reports that a channel accepted a notice."""

    employee_id: str
    notification_id: str
    attempts: int


class Failed(NamedTuple):
    """The sender reports that a notice cannot be delivered."""

    employee_id: str
    notification_id: str
    attempts: int
    reason: str


Command = Delivered | Failed

HEARS: Sequence[type[News]] = tuple(AUDIENCE)
INITIAL = Notices()


def stream_of(heard: Heard | Command) -> str:
    """Name the stream: the person concerned, not the one who is told."""
    return heard.said.employee_id if isinstance(heard, Heard) else heard.employee_id


def decide(heard: Heard | Command, notices: Notices) -> Sequence[Told]:
    """Give the notices to queue, or the outcome of one; for a repeated input, nothing.

    Errors: LookupError for the outcome of a notice that was never queued.
    """
    match heard:
        case Heard():
            planned = _plan(heard)
            return [each for each in planned if each.notification_id not in notices.by_id]
        case Delivered():
            return _outcome(heard, notices)
        case Failed():
            return _outcome(heard, notices)


def _plan(heard: Heard) -> Sequence[NotificationQueued]:
    """Queue a notice for every recipient, by each channel of the recipient's role."""
    said = heard.said
    details = details_of(said)
    planned = []
    for role, template in AUDIENCE[type(said)]:
        recipient = recipient_of(role, said)
        if recipient is None:
            continue
        planned += [
            NotificationQueued(
                notification_id=notification_id(heard.event_id, role, recipient, channel),
                employee_id=said.employee_id,
                recipient_id=recipient,
                role=role,
                channel=channel,
                about_event_id=heard.event_id,
                template=template,
                details=details,
            )
            for channel in CHANNELS[role]
        ]
    return planned


def _outcome(command: Command, notices: Notices) -> Sequence[Told]:
    """Give the outcome of a notice, unless it has one already."""
    notice = notices.by_id.get(command.notification_id)
    if notice is None:
        message = f"never queued: {command.notification_id}"
        raise LookupError(message)
    if notice.outcome != "queued":
        return []
    queued = notice.queued
    if isinstance(command, Delivered):
        return [
            NotificationDelivered(
                notification_id=queued.notification_id,
                employee_id=queued.employee_id,
                recipient_id=queued.recipient_id,
                role=queued.role,
                channel=queued.channel,
                about_event_id=queued.about_event_id,
                attempts=command.attempts,
            )
        ]
    return [
        NotificationFailed(
            notification_id=queued.notification_id,
            employee_id=queued.employee_id,
            recipient_id=queued.recipient_id,
            role=queued.role,
            channel=queued.channel,
            about_event_id=queued.about_event_id,
            attempts=command.attempts,
            reason=command.reason,
        )
    ]


def evolve(notices: Notices, event: Told) -> Notices:
    """Apply an event of this service, new or read back from its topic, without judging it."""
    known = notices.by_id.get(event.notification_id)
    match event:
        case NotificationQueued():
            return notices if known else notices.with_notice(Notice(event))
        case NotificationDelivered():
            return _settled(notices, known, event.attempts, None)
        case NotificationFailed():
            return _settled(notices, known, event.attempts, event.reason)


def _settled(
    notices: Notices, notice: Notice | None, attempts: int, reason: str | None
) -> Notices:
    if notice is None:
        message = "an outcome stands on the log before what was queued"
        raise LookupError(message)
    outcome: Outcome = "failed" if reason else "delivered"
    return notices.with_notice(replace(notice, outcome=outcome, attempts=attempts, reason=reason))
