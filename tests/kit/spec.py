"""Given a past, when something is heard, then these events follow."""

from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

State = TypeVar("State")
Heard = TypeVar("Heard")
Told = TypeVar("Told")
Heard_contra = TypeVar("Heard_contra", contravariant=True)
Told_co = TypeVar("Told_co", covariant=True)


class Decider(Protocol[State, Heard_contra, Told_co]):
    """What a domain module offers."""

    INITIAL: State

    def decide(self, heard: Heard_contra, state: State, /) -> Sequence[Told_co]: ...

    def evolve(self, state: State, event: Any, /) -> State: ...


class Given(Generic[State, Heard, Told]):
    """The past as it was heard; `when` asks the domain what follows from one thing more."""

    def __init__(self, domain: Decider[State, Heard, Told], *past: Heard) -> None:
        self.domain = domain
        self.state = domain.INITIAL
        for heard in past:
            self.hear(heard)

    def hear(self, heard: Heard) -> list[Told]:
        """Take one thing in with what follows from it; what is no news leaves no trace."""
        told = list(self.domain.decide(heard, self.state))
        for event in (heard, *told) if told else ():
            self.state = self.domain.evolve(self.state, event)
        return told

    def when(self, heard: Heard) -> list[Told]:
        """Say what would follow, and forget it again."""
        return list(self.domain.decide(heard, self.state))
