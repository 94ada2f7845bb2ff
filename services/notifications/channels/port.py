"""The port of a channel: what the sender calls, and the possible answers."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from services.notifications.jobs import Job
from services.notifications.rendering import Text


@dataclass(frozen=True)
class Message:
    """One message to one person. `address` is empty where the channel needs none.

    It exists only while it is being sent: neither address nor text is stored or logged.
    """

    job: Job
    person_id: str
    address: str
    text: Text

    def __repr__(self) -> str:
        """Show the id of the message, and nothing of its content."""
        return f"Message({self.job.notification_id})"


class Taken(NamedTuple):
    """The channel accepted the message."""


class Refused(NamedTuple):
    """The channel will never accept it. `reason` is a code."""

    reason: str


class Trouble(NamedTuple):
    """The channel did not accept it this time; a later try may succeed. `reason` is a code."""

    reason: str


Delivery = Taken | Refused | Trouble


class Channel(Protocol):
    """Sends a message. May take seconds; raises nothing that a network can cause.

    The same notice may be sent twice, after a crash between sending it and storing the outcome:
    the receiver must be able to recognise it by `job.notification_id`.
    """

    async def deliver(self, message: Message, /) -> Delivery:
        """Send it, and say whether it was accepted."""
