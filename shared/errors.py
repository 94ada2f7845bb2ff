"""The base of all failures that a person can correct."""


class CannotRunError(Exception):
    """Something cannot be done in the present situation, and a person can change that.

    The message says what and why, for people, without personal values: a command shows it in one
    line, and exits with code 2.
    """
