"""Where the simulated people work, and by which hours."""

from typing import NamedTuple


class RegencySpec(NamedTuple):
    """A regency of a simulation; `style` says which hours its offices keep, `weight` its size."""

    code: str
    name: str
    timezone: str
    style: str
    weight: int
    extra: str | None = None  # The hours of one further unit: a school or a hospital.

    @property
    def province(self) -> str:
        """Give the province's code."""
        return self.code.split(".")[0]


# Two check-ins a day, four, and two with apel morning and evening.
DEMO = (
    RegencySpec("53.01", "Kabupaten Kupang", "Asia/Makassar", "kantor", 14, "sekolah"),
    RegencySpec("53.71", "Kota Kupang", "Asia/Makassar", "kantor", 12, "rs"),
    RegencySpec("17.07", "Kabupaten Lebong", "Asia/Jakarta", "empat", 8),
    RegencySpec("17.06", "Kabupaten Mukomuko", "Asia/Jakarta", "apel", 6),
)
OFFICES = (
    "Sekretariat Daerah", "Dinas Pendidikan", "Dinas Kesehatan", "BKPSDM", "Inspektorat",
    "Dinas Pekerjaan Umum", "Dinas Sosial", "Dinas Perhubungan", "Dinas Pertanian", "Bapenda",
    "Satpol PP", "Dinas Lingkungan Hidup", "Dinas Koperasi", "Dinas Pariwisata", "Disdukcapil",
)  # fmt: skip
EXTRA_OFFICES = {"sekolah": "SD Negeri", "rs": "RSUD"}


class Mark(NamedTuple):
    """A checkpoint. Units: minutes after midnight."""

    name: str
    opens: int
    due: int
    closes: int
    kind: str
    direction: str


class Hours(NamedTuple):
    """A schedule: what each weekday (Monday is 0) asks for; `slack` in minutes."""

    id: str
    slack: int
    week: dict[int, tuple[Mark, ...]]


def _at(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def _mark(name: str, times: str, kind: str = "presence", direction: str = "any") -> Mark:
    opens, due, closes = map(_at, times.split())
    return Mark(name, opens, due, closes, kind, direction)


def _office(begin: str, end: str, friday: str) -> dict[int, tuple[Mark, ...]]:
    first = _mark("masuk", begin, direction="in")
    week = {day: (first, _mark("pulang", end, direction="out")) for day in range(4)}
    return {**week, 4: (first, _mark("pulang", friday, direction="out"))}


_FOUR = (
    _mark("pagi", "07:45 08:00 08:00", direction="in"),
    _mark("menjelang-siang", "10:00 10:15 10:15"),
    _mark("siang", "13:00 13:15 13:15"),
    _mark("sore", "16:00 16:00 16:15", direction="out"),
)
_APEL = (
    _mark("apel-pagi", "07:10 07:30 07:45", "apel"),
    _mark("masuk", "06:30 07:30 09:00", direction="in"),
    _mark("apel-sore", "15:50 16:00 16:20", "apel"),
    _mark("pulang", "15:30 16:00 18:30", direction="out"),
)
_SCHOOL = (
    _mark("masuk", "06:00 07:00 08:30", direction="in"),
    _mark("pulang", "13:00 13:30 16:00", direction="out"),
)


def _every_day(begin: str, end: str) -> dict[int, tuple[Mark, ...]]:
    marks = _mark("masuk", begin, direction="in"), _mark("pulang", end, direction="out")
    return dict.fromkeys(range(7), marks)


KANTOR = Hours(
    "kantor", 60, _office("06:00 07:30 09:00", "15:30 16:00 18:30", "15:30 16:30 19:00")
)
RAMADAN = Hours(
    "kantor", 60, _office("06:30 08:00 09:30", "14:30 15:00 17:30", "14:30 15:30 18:00")
)
HOURS: dict[str, tuple[Hours, ...]] = {
    "kantor": (KANTOR,),
    "empat": (Hours("empat-kali", 60, dict.fromkeys(range(5), _FOUR)),),
    "apel": (Hours("kantor-apel", 45, dict.fromkeys(range(5), _APEL)),),
    "sekolah": (Hours("sekolah", 45, dict.fromkeys(range(6), _SCHOOL)),),
    "rs": (
        Hours("rs-jaga", 30, {}),
        Hours("rs-pagi", 30, _every_day("06:00 07:00 08:30", "13:30 14:00 15:30")),
        # The last window is open past midnight.
        Hours("rs-sore", 30, _every_day("13:00 14:00 15:30", "21:00 21:30 24:30")),
        Hours("rs-malam", 30, _every_day("20:00 21:00 22:30", "29:30 30:00 31:30")),
    ),
}
# Who works on holidays, too: a hospital's wards.
ON_HOLIDAYS = frozenset({"rs-pagi", "rs-sore", "rs-malam"})
ROSTER = ("rs-pagi", "rs-pagi", "rs-sore", "rs-sore", "rs-malam", "rs-malam", None, None)


def schedule_of(style: str) -> str:
    """Give the id of a unit's schedule."""
    return HOURS[style][0].id
