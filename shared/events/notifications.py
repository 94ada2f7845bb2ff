"""Events of the notifications service, keyed by employee. Names are stored: never changed."""

from typing import ClassVar, Literal

from shared.events.base import Fact

EVENTS = "notifications.events.v1"

Role = Literal["employee", "superior", "unit_head"]
Channel = Literal["inbox", "mail", "whatsapp"]


class NotificationEvent(Fact):
    """Told, never derived: what was sent was sent.

    `recipient_id` is a person, or for `unit_head` the unit: who heads it is seen at sending.
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
    """Somebody is to be told; name, address and text are resolved at sending.

    `details` fills the template: codes, counts, dates and ids, never a personal value.
    """

    template: str
    details: dict[str, str]


class NotificationDelivered(NotificationEvent):
    """The channel took it."""

    attempts: int


class NotificationFailed(NotificationEvent):
    """It was refused for good, or tries are used up. `reason` is a code, never free text."""

    attempts: int
    reason: str
