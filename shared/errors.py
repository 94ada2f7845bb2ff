"""The failure that a person can do something about."""


class CannotRun(Exception):  # noqa: N818  (what it says)
    """Something cannot be done as things are.

    The message says what and why, for people, without personal values: a command shows it as it
    is, in a line, and ends with exit code 2.
    """
