"""The YAML documents of a simulation: schedules and rule sets, as people write them."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from tools.simulate.calendar import RAMADAN_BEGINS, RAMADAN_ENDS
from tools.simulate.places import HOURS, KANTOR, ON_HOLIDAYS, RAMADAN, Hours, RegencySpec

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LADDER = """\
tiers:
  cumulative:
    - {days: 3, level: ringan, sanction: teguran_lisan, article: "9(2) b"}
    - {days: 4, level: ringan, sanction: teguran_tertulis, article: "9(2) b"}
    - {days: 7, level: ringan, sanction: pernyataan_tidak_puas, article: "9(2) b"}
    - {days: 11, level: sedang, sanction: potong_tunjangan_25_6_bulan, article: "10(2) f"}
    - {days: 14, level: sedang, sanction: potong_tunjangan_25_9_bulan, article: "10(2) f"}
    - {days: 17, level: sedang, sanction: potong_tunjangan_25_12_bulan, article: "10(2) f"}
    - {days: 21, level: berat, sanction: penurunan_jabatan_12_bulan, article: "11(2) d 1"}
    - {days: 25, level: berat, sanction: pembebasan_jabatan_12_bulan, article: "11(2) d 2"}
    - {days: 28, level: berat, sanction: pdhtaps, article: "11(2) d 3"}
  consecutive:
    - {days: 10, level: berat, sanction: pdhtaps, article: "11(2) d 4"}
"""
_PPPK_LADDER = """\
tiers:
  cumulative:
    - {days: 3, level: ringan, sanction: teguran_lisan, article: "contoh 1"}
    - {days: 4, level: ringan, sanction: teguran_tertulis, article: "contoh 2"}
    - {days: 7, level: ringan, sanction: pernyataan_tidak_puas, article: "contoh 3"}
    - {days: 11, level: sedang, sanction: tunda_kgb_1_tahun, article: "contoh 4"}
    - {days: 21, level: berat, sanction: phk, article: "contoh 5"}
  consecutive:
    - {days: 10, level: berat, sanction: phk, article: "contoh 6"}
"""


def schedules(
    regencies: Sequence[RegencySpec], begins: date, ends: date
) -> Iterator[tuple[str, str]]:
    """Give file names and texts: the hours of every regency, Ramadan's in between where it is."""
    since = date(begins.year - 2, 1, 1)
    for spec in regencies:
        for style in (spec.style, spec.extra):
            for hours in HOURS.get(style or "", ()):
                yield f"{hours.id}-{spec.code}.yaml", _schedule(hours, spec.code, since)
        if spec.style == "kantor" and begins <= RAMADAN_BEGINS <= ends:
            fasting = _schedule(RAMADAN, spec.code, RAMADAN_BEGINS)
            yield f"kantor-{spec.code}-ramadan.yaml", fasting
            again = f"{_schedule(KANTOR, spec.code, RAMADAN_ENDS + timedelta(1))}"
            yield f"kantor-{spec.code}-sesudah.yaml", again


def _schedule(hours: Hours, code: str, since: date) -> str:
    lines = [
        f"id: {hours.id}",
        f'regency: "{code}"',
        f"effective_from: {since.isoformat()}",
        f"slack_minutes: {hours.slack}",
    ]
    if hours.id in ON_HOLIDAYS:
        lines.append("on_holidays: true")
    lines.append("week:" if hours.week else "week: {}")
    for day, marks in sorted(hours.week.items()):
        lines.append(f"  {_WEEKDAYS[day]}:")
        lines += [
            f'    - {{name: {m.name}, opens: "{_clock(m.opens)}", due: "{_clock(m.due)}",'
            f' closes: "{_clock(m.closes)}", kind: {m.kind}, direction: {m.direction}}}'
            for m in marks
        ]
    return "\n".join(lines) + "\n"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def rule_sets(regencies: Sequence[RegencySpec], begins: date) -> Iterator[tuple[str, str]]:
    """Give file names and texts: the national rules, a regency's own over them, one for PPPK.

    Contract staff and PPPK elsewhere have none.
    """
    yield (
        "pp94-2021.yaml",
        _rules(
            ("pp94-2021", "PP 94/2021 Pasal 4 f, 9-11, 15; Peraturan BKN 6/2022", "*"),
            ("[PNS, CPNS]", date(2021, 8, 31), "null"),
            _LADDER,
        ),
    )
    own = regencies[-1].code
    yield (
        f"terlambat-{own}.yaml",
        _rules(
            (
                f"terlambat-{own}",
                "contoh aturan daerah: 7,5 jam terlambat dihitung satu hari",
                own,
            ),
            ("[PNS, CPNS]", begins + timedelta(14), "450"),
            _LADDER,
        ),
    )
    first = regencies[0].code
    yield (
        f"pppk-{first}.yaml",
        _rules(
            (f"pppk-{first}", "contoh aturan PPPK menurut PP 49/2018 Pasal 52", first),
            ("[PPPK]", date(begins.year - 1, 1, 1), "null"),
            _PPPK_LADDER,
        ),
    )


def _rules(names: tuple[str, str, str], scope: tuple[str, date, str], ladder: str) -> str:
    id_, basis, regency = names
    classes, since, lateness = scope
    return (
        f'id: "{id_}"\nversion: 1\nlegal_basis: "{basis}"\nregency: "{regency}"\n'
        f"applies_to: {classes}\neffective_from: {since.isoformat()}\n"
        "counting: {evidence_window_workdays: 3, min_presence_marks: 1, run_crosses_year: true,"
        f" lateness_day_minutes: {lateness}}}\n{ladder}"
    )
