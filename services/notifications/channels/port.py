"""What the sender asks of a channel."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from services.notifications.jobs import Job
from services.notifications.rendering import Text


@dataclass(frozen=True)
class Message:
    """One message to one person. `address` is empty where the channel needs none.

    It lives while it is being sent: neither address nor text is stored or logged.
    """

    job: Job
    person_id: str
    address: str
    text: Text

    def __repr__(self) -> str:
        """Say which message it is, and nothing that it says."""
        return f"Message({self.job.notification_id})"


class Taken(NamedTuple):
    """The channel has it."""


class Refused(NamedTuple):
    """The channel will never take it. `reason` is a code."""

    reason: str


class Trouble(NamedTuple):
    """The channel did not take it this time. `reason` is a code."""

    reason: str


Delivery = Taken | Refused | Trouble


class Channel(Protocol):
    """Hands a message over. May take seconds; raises nothing that a network can cause.

    The same notice may come twice, after a crash between sending and writing it down: the
    receiver must be able to see by `job.notification_id` that it is the same.
    """

    async def deliver(self, message: Message, /) -> Delivery:
        """Send it, and say whether it was taken."""
