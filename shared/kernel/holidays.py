"""Holidays by decree: whom a scope covers, and which of several decrees decides (semantics B4).

Shapes: a scope is `ID`, the code of a province (`53`) or of a regency (`53.01`). Units: a day is
`date.toordinal()`.
"""

COUNTRY = "ID"
WORKING_DAY = "working_day"
_COUNTRY, _PROVINCE, _REGENCY = range(3)


class HolidayCalendar:
    """The decrees that cover one regency, as far as they are known."""

    def __init__(self) -> None:
        self._kinds: dict[int, list[str | None]] = {}  # By scope, the widest first.

    def decree(self, day: int, scope: str, kind: str) -> None:
        """Take a decree: within a scope the last recorded decides."""
        self._kinds.setdefault(day, [None, None, None])[_width(scope)] = kind

    def is_holiday(self, day: int) -> bool:
        """Say whether a day is a holiday or joint leave: the narrowest scope decides.

        `working_day` re-opens a day that its own or a wider scope made free.
        """
        kinds = self._kinds.get(day)
        if kinds is None:
            return False
        kind = kinds[_REGENCY] or kinds[_PROVINCE] or kinds[_COUNTRY]
        return kind != WORKING_DAY


def province_of(regency: str) -> str:
    """Give the code of a regency's province: what stands before the dot (semantics A19)."""
    return regency.partition(".")[0]


def covers(scope: str, regency: str) -> bool:
    """Say whether a decree of a scope concerns a regency."""
    return scope in (COUNTRY, province_of(regency), regency)


def _width(scope: str) -> int:
    if scope == COUNTRY:
        return _COUNTRY
    return _REGENCY if "." in scope else _PROVINCE
