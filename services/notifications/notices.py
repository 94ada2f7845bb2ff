"""The notices about one person, and the spelling of what they say. Pure values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from shared.events.envelope import fact_id
from shared.events.notifications import Channel, NotificationQueued, Role

Outcome = Literal["queued", "delivered", "failed"]


@dataclass(frozen=True)
class Notice:
    """One message to one recipient by one channel. `reason` says why it failed."""

    queued: NotificationQueued
    outcome: Outcome = "queued"
    attempts: int = 0
    reason: str | None = None


@dataclass(frozen=True)
class Notices:
    """All notices about one person, by their id, in the order queued."""

    by_id: Mapping[str, Notice] = field(default_factory=dict)

    def with_notice(self, notice: Notice) -> "Notices":
        """Give the notices with this one added, or in the place of what it was."""
        return Notices({**self.by_id, notice.queued.notification_id: notice})


def notification_id(event_id: str, role: Role, recipient_id: str, channel: Channel) -> str:
    """Give a notice's id: made of its content, so that a repetition is recognised.

    `role` is a part of it because a unit and a person may have the same id.
    """
    return fact_id("Notification", event_id, role, recipient_id, channel)


def spelled(dates: Iterable[date]) -> str:
    """Write dates for `details`: ISO, joined by `;`; rendering translates them."""
    return ";".join(each.isoformat() for each in dates)
