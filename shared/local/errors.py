"""The errors of a local stack, with messages that say what to do."""

from shared.errors import CannotRunError


class StackError(CannotRunError):
    """The local stack cannot do what was asked; the message says why and what to do."""


class PortTakenError(StackError):
    """Another program uses the port of one of the stack's servers; another port would work."""
