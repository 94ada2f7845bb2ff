"""Dated rows of rule data: which row of the law is in force for a region on a date.

No period, limit, authority or default of the law is a constant in code. Each is a row that says
since when it holds, on which article it rests, how sure that is, and who signed it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

NATIONAL = "NATIONAL"

Confidence = Literal["verified", "secondary", "unverified", "recomputed", "default"]


class RuleMissingError(LookupError):
    """No row of this key is in force: the tables have a gap, and nothing is guessed."""

    def __init__(self, key: str, region: str, on: date) -> None:
        super().__init__(f"no rule {key!r} in force for region {region} on {on}")
        self.key, self.region, self.on = key, region, on


@dataclass(frozen=True)
class RuleRow:
    """One rule as data. `valid_to` is the last day it holds; a blank `approved_by`: not signed."""

    rule_key: str
    value: str
    region_code: str
    valid_from: date
    valid_to: date | None
    legal_basis: str
    confidence: Confidence
    approved_by: str = ""

    def holds(self, region: str, on: date) -> bool:
        """Say whether the row holds for a region on a date."""
        here = self.region_code in (region, NATIONAL)
        return here and self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    @property
    def own(self) -> bool:
        """Say whether it is a region's own row, which takes precedence over the national one."""
        return self.region_code != NATIONAL

    @property
    def signed(self) -> bool:
        """Say whether a person has signed it; an unsigned row is no basis for a real case."""
        return bool(self.approved_by)


class RuleBook:
    """All rows that are known.

    Errors: ValueError if two rows of one key and region begin on one day, or one ends before
    it begins: which of them holds would be a silent choice.
    """

    def __init__(self, rows: Iterable[RuleRow]) -> None:
        self._rows: dict[str, list[RuleRow]] = {}
        for row in rows:
            self._take(row)

    def in_force(self, region: str, on: date) -> "Rules":
        """Give the rules of a region on a date: that of the act (PP 94/2021: `act_date`)."""
        return Rules(self, region, on)

    def find(self, key: str, region: str, on: date) -> RuleRow | None:
        """Give the row in force: the region's own before the national, then the latest begun."""
        holding = [row for row in self._rows.get(key, ()) if row.holds(region, on)]
        return max(holding, key=lambda row: (row.own, row.valid_from), default=None)

    def _take(self, row: RuleRow) -> None:
        if row.valid_to is not None and row.valid_to < row.valid_from:
            raise ValueError(f"rule {row.rule_key!r} ends before it begins: {row.valid_to}")
        known = self._rows.setdefault(row.rule_key, [])
        if any((k.region_code, k.valid_from) == (row.region_code, row.valid_from) for k in known):
            where = f"{row.region_code} from {row.valid_from}"
            raise ValueError(f"rule {row.rule_key!r} is given twice for {where}")
        known.append(row)


@dataclass(frozen=True)
class Rules:
    """The rules of one region on one date, as a case freezes them."""

    book: RuleBook
    region: str
    on: date

    def row(self, key: str) -> RuleRow:
        """Give the row in force. Errors: RuleMissingError, naming key, region and date."""
        found = self.book.find(key, self.region, self.on)
        if found is None:
            raise RuleMissingError(key, self.region, self.on)
        return found

    def value(self, key: str) -> str:
        """Give the text of the row in force. Errors: RuleMissingError."""
        return self.row(key).value

    def number(self, key: str) -> int:
        """Give a row that is a whole number.

        Errors: RuleMissingError; ValueError naming the key.
        """
        text = self.value(key)
        if not (text.isascii() and text.isdigit()):
            raise ValueError(f"rule {key!r} is not a whole number: {text!r}")
        return int(text)

    def choice(self, key: str, *known: str) -> str:
        """Give a row that is one of the words known. Errors: RuleMissingError; ValueError."""
        text = self.value(key)
        if text not in known:
            raise ValueError(f"rule {key!r} is none of {', '.join(known)}: {text!r}")
        return text

    def items(self, key: str) -> tuple[str, ...]:
        """Give a row that is a list, parted by `;`.

        Errors: RuleMissingError; ValueError if empty.
        """
        found = tuple(item.strip() for item in self.value(key).split(";"))
        if not all(found):
            raise ValueError(f"rule {key!r} has an empty item: {self.value(key)!r}")
        return found
