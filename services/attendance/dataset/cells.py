"""One cell of a table: text in, value out, or the reason why not."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple

from services.attendance.dataset import times
from services.attendance.dataset.times import Written
from shared.kernel.local_time import clock_of

REGENCY_CODE = re.compile(r"\d{2}\.\d{2}", re.ASCII)


class UnreadableError(ValueError):
    """A value that cannot be read; carries the code of the reason and its details."""

    def __init__(self, *, code: str, **details: str) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


class Column(NamedTuple):
    """How the cells of a column are read, and what a blank one means."""

    read: Callable[[str], Any]
    obligatory: bool = True
    blank: str | None = None

    def value(self, cell: str) -> Any:
        """Read a trimmed cell. Errors: UnreadableError."""
        if cell:
            return self.read(cell)
        if self.obligatory:
            raise UnreadableError(code="blank")
        return self.blank


def text(cell: str) -> str:
    """Take a text as it is."""
    return cell


def regency_code(cell: str) -> str:
    """Read a Kemendagri code such as `53.01`. Errors: UnreadableError."""
    if not REGENCY_CODE.fullmatch(cell):
        raise UnreadableError(code="not_a_code")
    return cell


def zone(cell: str) -> str:
    """Read the name of a time zone. Errors: UnreadableError."""
    try:
        return clock_of(cell).name
    except (ValueError, KeyError, OSError):
        raise UnreadableError(code="not_a_zone") from None


def day(cell: str) -> date:
    """Read a date. Errors: UnreadableError."""
    try:
        return times.read_date(cell)
    except ValueError:
        raise UnreadableError(code="not_a_date") from None


def moment(cell: str) -> Written:
    """Read a date or date-time. Errors: UnreadableError."""
    try:
        return times.read_moment(cell)
    except ValueError:
        raise UnreadableError(code="not_a_moment") from None


def end(cell: str) -> Written:
    """Read the end of a span of time. Errors: UnreadableError."""
    try:
        return times.read_end(cell)
    except ValueError:
        raise UnreadableError(code="not_a_moment") from None


def one_of(allowed: Iterable[str]) -> Callable[[str], str]:
    """Read one of a few words. Errors: UnreadableError."""
    words = tuple(allowed)

    def read(cell: str) -> str:
        if cell not in words:
            raise UnreadableError(code="not_one_of", allowed=", ".join(words))
        return cell

    return read


def needed(read: Callable[[str], Any]) -> Column:
    """Give a column in which every row needs a value."""
    return Column(read)


def maybe(read: Callable[[str], Any], blank: str | None = None) -> Column:
    """Give a column that may be left blank."""
    return Column(read, obligatory=False, blank=blank)
