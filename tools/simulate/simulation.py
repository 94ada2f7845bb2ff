"""`tertib simulate`: a dataset folder of any size with every hard case in it (design 8.2)."""

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

from tools.simulate.calendar import Calendar
from tools.simulate.changes import change_papers
from tools.simulate.documents import rule_sets, schedules
from tools.simulate.machines import CheckIn, Days, Machine, log_of
from tools.simulate.ordinary import stay_away, workdays
from tools.simulate.papers import write_papers
from tools.simulate.people import Person, Town, settle, share
from tools.simulate.places import DEMO, RegencySpec
from tools.simulate.stories import tell
from tools.simulate.troubles import Troubles, troubles_of

FIRST_DAY = date(2026, 1, 1)  # A quarter from here has Ramadan, Idulfitri and joint leave in it.
Progress = Callable[[int, int], None]


class Simulated(NamedTuple):
    """What was written: through which date, and how much."""

    through: date
    employees: int
    machines: int
    punches: int
    check_ins: int


def simulate(  # noqa: PLR0913  (what a simulation is made of, with defaults)
    out: Path,
    employees: int,
    days: int,
    seed: int,
    *,
    regencies: Sequence[RegencySpec] = DEMO,
    begins: date = FIRST_DAY,
    flawless: bool = False,
    progress: Progress | None = None,
) -> Simulated:
    """Write a dataset folder; the same arguments give the same bytes.

    Hard cases that need more people or days than there are, are left out; `flawless` leaves out
    the lines that cannot be read. `progress` hears how many machines of how many are done.
    Errors: ValueError without people, days or regencies; FileExistsError for a folder in use.
    """
    if employees < 1 or days < 1 or not regencies:
        message = "a simulation needs at least one employee, one day and one regency"
        raise ValueError(message)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(out)
    out.mkdir(parents=True, exist_ok=True)
    span = begins, begins + timedelta(days - 1)
    calendar = Calendar(regencies, *span)
    towns = _populate(employees, regencies, calendar, span, seed)
    troubles = troubles_of(towns, begins, days)
    write_papers(out, towns, calendar, troubles, span)
    _write_documents(out / "schedules", schedules(regencies, *span))
    _write_documents(out / "rules", rule_sets(regencies, begins))
    machines = _machines(towns, troubles, flawless=flawless)
    punches, check_ins = _write_logs(out, machines, Days(span, calendar, seed), progress)
    return Simulated(span[1], employees, len(machines), punches, check_ins)


def _populate(
    employees: int,
    regencies: Sequence[RegencySpec],
    calendar: Calendar,
    span: tuple[date, date],
    seed: int,
) -> list[Town]:
    dice = Random(f"{seed}/people")  # noqa: S311  (a simulation, not a secret)
    towns, first = [], 1
    for spec, count in zip(regencies, share(employees, regencies), strict=True):
        towns.append(settle(spec, count, first, span[0], dice))
        first += count
    everybody = [person for town in towns for person in town.people]

    def asked(person: Person) -> list[date]:
        return workdays(person, calendar, span)

    told = tell(everybody, asked)
    change_papers(towns, told, span[0], (span[1] - span[0]).days + 1)
    for person in everybody:
        if person.employee_id not in told:
            stay_away(person, asked(person), dice)
    return towns


def _machines(towns: Iterable[Town], troubles: Troubles, *, flawless: bool) -> list[Machine]:
    staff: dict[str, list[Person]] = {}
    for town in towns:
        for person in town.people:
            for serial in dict.fromkeys(posting.serial for posting in person.postings):
                staff.setdefault(serial, []).append(person)
    silences = troubles.silences
    return [
        Machine(serial, number, people, [s for s in silences if s.serial == serial], flawless)
        for number, (serial, people) in enumerate(sorted(staff.items()))
    ]


def _write_documents(folder: Path, documents: Iterable[tuple[str, str]]) -> None:
    folder.mkdir()
    for name, text in documents:
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _write_logs(
    out: Path, machines: Sequence[Machine], days: Days, progress: Progress | None
) -> tuple[int, int]:
    """Write machine by machine: no more than a day of one is held in memory."""
    (out / "attlog").mkdir()
    punches = check_ins = 0
    with (out / "check-ins.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(CheckIn._fields)

        def elsewhere(check_in: CheckIn) -> None:
            nonlocal check_ins
            table.writerow(check_in)
            check_ins += 1

        for number, machine in enumerate(machines, start=1):
            path = out / "attlog" / f"{machine.serial}.dat"
            with path.open("w", encoding="utf-8", newline="") as log:
                for line in log_of(machine, days, elsewhere):
                    log.write(line)
                    punches += 1
            if progress is not None:
                progress(number, len(machines))
    return punches, check_ins
