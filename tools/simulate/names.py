"""Invented names and NIPs: valid in form, and of no real person.

A NIP says birth date, first appointment, sex and a number (Perka BKN 22/2007); a PPPK has the
code 21 in the place of the month.
"""

from datetime import date, timedelta
from random import Random

_MEN = (
    "Adi", "Agus", "Andi", "Arif", "Bambang", "Bayu", "Budi", "Dedi", "Dian", "Eko", "Fajar",
    "Hadi", "Hendra", "Imam", "Indra", "Joko", "Lukas", "Made", "Markus", "Nyoman", "Petrus",
    "Putra", "Rahmat", "Rizki", "Rudi", "Slamet", "Surya", "Taufik", "Tono", "Wahyu", "Yohanes",
    "Yusuf",
)  # fmt: skip
_WOMEN = (
    "Ani", "Ayu", "Citra", "Dewi", "Dina", "Eka", "Elisabet", "Fitri", "Indah", "Intan", "Kartini",
    "Lestari", "Lina", "Maria", "Maya", "Mega", "Nia", "Nur", "Putri", "Ratna", "Rini", "Sari",
    "Siti", "Sri", "Tri", "Wati", "Wulan", "Yanti", "Yuni", "Yuliana",
)  # fmt: skip
MAN, WOMAN = "1", "2"
_PPPK_CODE = "21"


def name_of(dice: Random, sex: str) -> str:
    """Combine two given names."""
    return " ".join(dice.sample(_MEN if sex == MAN else _WOMEN, 2))


class Nips:
    """Gives NIPs, each once."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._given: dict[str, int] = {}

    def next(self, sex: str, employment: str, begins: date) -> tuple[str | None, date]:
        """Give a NIP and when the person was appointed; contract staff have none."""
        dice = self._dice
        longest = 35 if employment == "PNS" else 5
        appointed = begins.replace(day=1) - timedelta(dice.randint(200, longest * 365))
        if employment == "CPNS":
            appointed = begins.replace(day=1) - timedelta(dice.randint(60, 300))
        appointed = appointed.replace(day=1)
        birth = appointed - timedelta(dice.randint(20 * 366, 34 * 365))
        if employment == "PTT":
            return None, appointed
        code = f"{appointed:%m}" if employment in ("PNS", "CPNS") else _PPPK_CODE
        stem = f"{birth:%Y%m%d}{appointed:%Y}{code}{sex}"
        number = self._given[stem] = self._given.get(stem, 0) + 1
        return f"{stem}{number:03}", appointed
