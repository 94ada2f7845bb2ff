"""The port by which a service adopts a new version of its fold (`tertib rebuild --adopt`)."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from shared.events.base import NewEvent
from shared.events.envelope import Envelope
from shared.runtime.settings import Settings

Waits = Callable[[str], None]


class Change(NamedTuple):
    """What a version would say otherwise: `kind` (a day, a threshold) of whom, and how."""

    kind: str
    subject: str
    on: str
    now: str
    then: str


class Adoption(Protocol):
    """What a service brings to adopt a version: how it is tried, shown, and published."""

    def version_of(self, knowledge: Any, /) -> int:
        """Give the version by which is folded as of some knowledge."""

    def tried(self, version: int, broadcastseq: int, /) -> Envelope:
        """Give the fact as the fold would hear it now; it is shown what follows, and not sent."""

    def changes(self, state: Any, fold: Callable[[], Sequence[NewEvent]], /) -> Sequence[Change]:
        """Let a state be folded, once, and say what would be said otherwise."""

    async def publish(
        self, settings: Settings, version: int, reason: str, actor: str, waits: Waits, /
    ) -> None:
        """Publish the fact: from there on the version holds. Errors: CannotRunError, and others.

        `waits` is told for whom or what it waits, and "" when that is over.
        """
