"""Whether a NIP can be one: its form says a birth date, a first appointment, a sex, a number.

Source: Perka BKN 22/2007. There is no check digit. A PPPK has a two-digit code instead of a month.
"""

import re
from datetime import date

_NIP = re.compile(r"(\d{8})(\d{4})(\d{2})([12])(\d{3})", re.ASCII)
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.ASCII | re.IGNORECASE)
PPPK_CODES = range(21, 100)
MONTHS = range(1, 13)


def doubt(nip: str) -> str | None:
    """Give the code of what is doubtful about a NIP; None if its form is right."""
    if _ROUNDED.fullmatch(nip):
        return "spreadsheet_nip"
    match = _NIP.fullmatch(nip)
    if match is None:
        return "doubtful_nip"
    birth, _, month, _, number = match.groups()
    try:
        date(int(birth[:4]), int(birth[4:6]), int(birth[6:]))
    except ValueError:
        return "doubtful_nip"
    right = int(month) in MONTHS or int(month) in PPPK_CODES
    return None if right and number != "000" else "doubtful_nip"
