"""A person's days, one byte for each: what the ledger needs of every assessed day."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

PRESENT, EXCUSED, HELD, PENDING, UNEXCUSED, OFF = range(1, 7)  # 0: nothing was ever said.
CODES = {
    "present": PRESENT,
    "excused": EXCUSED,
    "held": HELD,
    "pending": PENDING,
    "unexcused": UNEXCUSED,
    "off": OFF,
}
Name = TypeVar("Name", str, str | None)
_ROOM = 400  # Days added at a time.


@dataclass(slots=True)
class History:
    """Status, rule set and class of every assessed day. Units: days; other values by name.

    A day without a rule set, or of another class, is not in a class's sequence at all (C2).
    """

    base: int = 0
    codes: bytearray = field(default_factory=bytearray)
    rules_at: bytearray = field(default_factory=bytearray)
    class_at: bytearray = field(default_factory=bytearray)
    rule_names: list[str | None] = field(default_factory=lambda: [None])
    class_names: list[str] = field(default_factory=list)
    converts: dict[int, int] = field(default_factory=dict)  # Minutes that add up, 0 too.
    seqs: dict[int, int] = field(default_factory=dict)  # Evidence: of days that count.
    last_absence: int = -1

    def put(  # noqa: PLR0913, PLR0917  (positional: the hot path)
        self, day: int, status: str, rules: str | None, klass: str, converts: int | None, seq: int
    ) -> None:
        """Store a day's status, rule set and class."""
        at = day - self.base
        if not 0 <= at < len(self.codes):
            at = self._place(day)
        code = CODES[status]
        self.codes[at] = code
        try:  # Both are there, nearly always.
            self.rules_at[at] = self.rule_names.index(rules)
            self.class_at[at] = self.class_names.index(klass)
        except ValueError:
            self.rules_at[at] = _place_in(self.rule_names, rules)
            self.class_at[at] = _place_in(self.class_names, klass)
        if converts is not None:
            self.converts[day] = converts
        elif self.converts:
            self.converts.pop(day, None)
        if code == UNEXCUSED or converts is not None:
            self.seqs[day] = seq
            if code == UNEXCUSED and day > self.last_absence:
                self.last_absence = day
        elif self.seqs:
            self.seqs.pop(day, None)

    def absences(self, klass: str) -> Iterator[int]:
        """Give the unexcused days that count in a class, in date order."""
        yield from (self.base + at for at in self._find(UNEXCUSED, 0, len(self.codes), klass))

    def broken_between(self, first: int, second: int, klass: str) -> bool:
        """Say whether a present or excused day of the class lies between two days."""
        begin, end = first + 1 - self.base, second - self.base
        return any(
            next(self._find(code, begin, end, klass), None) is not None
            for code in (PRESENT, EXCUSED)
        )

    def rules_of(self, day: int) -> str | None:
        """Name the rule set that judges a day."""
        return self.rule_names[self.rules_at[day - self.base]]

    def class_of(self, day: int) -> str:
        """Name the class in which a day counts."""
        return self.class_names[self.class_at[day - self.base]]

    def has_rules_beside(self, name: str | None) -> bool:
        """Say whether a day may be judged by another rule set than this."""
        return any(other not in (None, name) for other in self.rule_names)

    def _find(self, code: int, begin: int, end: int, klass: str) -> Iterator[int]:
        if klass not in self.class_names:
            return
        wanted = self.class_names.index(klass)
        at = self.codes.find(code, begin, end)
        while at >= 0:
            if self.rules_at[at] and self.class_at[at] == wanted:
                yield at
            at = self.codes.find(code, at + 1, end)

    def _place(self, day: int) -> int:
        if not self.codes:
            self.base = day
        if day < self.base:
            more = self.base - day
            for column in (self.codes, self.rules_at, self.class_at):
                column[:0] = bytes(more)
            self.base = day
        at = day - self.base
        if at >= len(self.codes):
            more = at + 1 - len(self.codes) + _ROOM
            for column in (self.codes, self.rules_at, self.class_at):
                column.extend(bytes(more))
        return at


def _place_in(names: list[Name], name: Name) -> int:
    """Give a name's index in a short list; a new name is added at its end."""
    try:
        return names.index(name)
    except ValueError:
        names.append(name)
        return len(names) - 1
