"""Events of the notifications service, keyed by employee. Names are stored: never changed."""

from typing import ClassVar, Literal

from shared.events.base import Fact

EVENTS = "notifications.events.v1"

Role = Literal["employee", "superior", "unit_head"]
Channel = Literal["inbox", "mail", "whatsapp"]


class NotificationEvent(Fact):
    """Told, never derived: a message that was sent cannot be concluded again.

    `recipient_id` is a person, or for `unit_head` the unit: its head is looked up when sending.
    """

    SERVICE: ClassVar[str] = "notifications"
    TOPIC: ClassVar[str] = EVENTS

    notification_id: str
    employee_id: str
    recipient_id: str
    role: Role
    channel: Channel
    about_event_id: str


class NotificationQueued(NotificationEvent):
    """A notice is to be sent; name, address and text are looked up when sending.

    `details` fills the template: codes, counts, dates and ids, never a personal value.
    """

    template: str
    details: dict[str, str]


class NotificationDelivered(NotificationEvent):
    """The channel accepted it."""

    attempts: int


class NotificationFailed(NotificationEvent):
    """It was refused finally, or all tries failed. `reason` is a code, never free text."""

    attempts: int
    reason: str
