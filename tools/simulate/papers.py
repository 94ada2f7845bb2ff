"""The CSV tables of a simulation (design 8.1)."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from tools.simulate.calendar import Calendar
from tools.simulate.ordinary import Span, shift_on
from tools.simulate.people import Person, Town
from tools.simulate.places import schedule_of
from tools.simulate.troubles import Troubles

Cell = str | int | date | None
Rows = Iterable[Sequence[Cell]]


def write_papers(
    out: Path, towns: Sequence[Town], calendar: Calendar, troubles: Troubles, span: Span
) -> None:
    """Write every table but check-ins.csv into the folder."""
    people = [person for town in towns for person in town.people]
    units = [unit for town in towns for unit in town.units]
    tables: dict[str, tuple[str, Rows]] = {
        "regencies": (
            "code,name,province,timezone",
            ((t.spec.code, t.spec.name, t.spec.province, t.spec.timezone) for t in towns),
        ),
        "units": (
            "unit_id,regency,name,parent_unit_id,head_employee_id,schedule_id",
            (
                (u.unit_id, u.spec.code, u.name, u.parent, u.head, schedule_of(u.style))
                for u in units
            ),
        ),
        "employees": (
            (
                "employee_id,nip,name,regency,unit_id,employment,position_level,"
                "supervisor_id,schedule_id,active_from,active_to,recorded_at"
            ),
            _lines(people),
        ),
        "contacts": ("employee_id,channel,address", _contacts(people)),
        "devices": (
            "serial,regency,unit_id,timezone",
            ((u.serial, u.spec.code, u.unit_id, None) for u in units),
        ),
        "pins": ("serial,pin,employee_id,valid_from,valid_to,recorded_at", _pins(people)),
        "shifts": ("employee_id,date,schedule_id,recorded_at", _shifts(people, span)),
        "calendar": ("date,scope,kind,name,recorded_at", calendar.decrees),
        "excuses": (
            "excuse_id,employee_id,from,to,kind,document,recorded_at,revoked_at",
            _letters(people),
        ),
        "outages": (
            "outage_id,regency,unit_id,serial,from,to,reason,recorded_at",
            troubles.outages,
        ),
        "late-uploads": ("serial,from,to,received_at", troubles.late_uploads),
    }
    for name, (head, rows) in tables.items():
        _write(out / f"{name}.csv", head.split(","), rows)


def _write(path: Path, head: Sequence[str], rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def _lines(people: Iterable[Person]) -> Iterator[Sequence[Cell]]:
    for p in people:
        for line in p.lines:
            unit = line.unit
            yield (
                p.employee_id, _nip(p, line.employment), p.name, unit.spec.code, unit.unit_id,
                line.employment, p.position, p.supervisor, line.schedule_id,
                line.active_from, line.active_to, line.recorded_at,
            )  # fmt: skip


def _nip(person: Person, employment: str) -> str | None:
    """Give the NIP of a line; who was contract staff at first got one later."""
    first = person.lines[0].employment
    return person.nip if employment == first else person.later_nip or person.nip


def _contacts(people: Iterable[Person]) -> Iterator[Sequence[Cell]]:
    """Give addresses in ranges that belong to nobody (RFC 2606), two of three people a number."""
    for place, p in enumerate(people):
        yield p.employee_id, "mail", f"{p.employee_id.lower()}@example.org"
        if place % 3:
            yield p.employee_id, "whatsapp", f"+62000{p.employee_id[1:]}"


def _pins(people: Iterable[Person]) -> Iterator[Sequence[Cell]]:
    for p in people:
        for pin in p.postings:
            yield pin.serial, pin.pin, p.employee_id, pin.begins, pin.ends, pin.recorded_at


def _shifts(people: Iterable[Person], span: Span) -> Iterator[Sequence[Cell]]:
    """Give rosters, recorded month by month in advance; now and then one afterwards."""
    begins, ends = span
    for place, p in enumerate(q for q in people if q.style == "rs"):
        on = begins
        while on <= ends:
            told = max(begins, on.replace(day=1) - timedelta(5))
            recorded_at = f"{told.isoformat()}T01:00:00"
            if (on.toordinal() + 7 * place) % 61 == 0:
                recorded_at = f"{(on + timedelta(2)).isoformat()}T10:05:00"
            yield p.employee_id, on, shift_on(p, begins, on), recorded_at
            on += timedelta(1)


def _letters(people: Iterable[Person]) -> Iterator[Sequence[Cell]]:
    number = 0
    for p in people:
        for letter in p.letters:
            number += 1
            yield (
                f"S{number:06}", p.employee_id, letter.first, letter.last, letter.kind,
                f"surat-{number:06}.pdf", letter.recorded_at, letter.revoked_at,
            )  # fmt: skip
