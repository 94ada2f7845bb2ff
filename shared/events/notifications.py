"""Events of the notifications service, keyed by the employee concerned. Names are stored: never changed."""

from typing import ClassVar

from shared.events.base import Fact

EVENTS = "notifications.events.v1"


class NotificationEvent(Fact):
    """Told, never derived: what was sent was sent."""

    SERVICE: ClassVar[str] = "notifications"
    TOPIC: ClassVar[str] = EVENTS

    notification_id: str
    employee_id: str
    recipient_id: str
    channel: str
    about_event_id: str


class NotificationQueued(NotificationEvent):
    """Somebody is to be told; name, address and text are resolved at sending."""

    template: str


class NotificationDelivered(NotificationEvent):
    """The channel took it."""

    attempts: int


class NotificationFailed(NotificationEvent):
    """The channel refused it for good, or tries are used up. `reason` is a code, never free text."""

    attempts: int
    reason: str
