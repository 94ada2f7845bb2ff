"""What can go wrong with a local stack, said so that a person can act on it."""


class StackError(Exception):
    """The local stack cannot do what was asked; the message says why and what to do."""


class PortTakenError(StackError):
    """Another program uses the port of one of the stack's servers; another port would work."""
