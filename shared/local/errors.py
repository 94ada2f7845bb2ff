"""What can go wrong with a local stack, said so that a person can act on it."""


class StackError(Exception):
    """The local stack cannot do what was asked; the message says why and what to do."""
