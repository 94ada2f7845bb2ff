"""Holidays: the narrowest scope with any row for a date decides (semantics B4)."""

COUNTRY, PROVINCE, REGENCY = range(3)
WORKING_DAY = "working_day"


class Calendar:
    """The calendar that covers one regency, as decreed so far."""

    def __init__(self) -> None:
        self._rows: dict[int, list[str | None]] = {}

    def decree(self, day: int, scope: str, kind: str) -> None:
        """Take a row: within a scope the last recorded decides."""
        self._rows.setdefault(day, [None, None, None])[_width(scope)] = kind

    def is_holiday(self, day: int) -> bool:
        """Say whether a day is a holiday or joint leave; `working_day` re-opens it."""
        row = self._rows.get(day)
        if row is None:
            return False
        kind = row[REGENCY] or row[PROVINCE] or row[COUNTRY]
        return kind != WORKING_DAY


def _width(scope: str) -> int:
    if scope == "ID":
        return COUNTRY
    return REGENCY if "." in scope else PROVINCE
