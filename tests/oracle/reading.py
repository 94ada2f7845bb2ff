"""Reads a dataset folder: the good rows, and the list of the bad ones (A15, A17, A19)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.oracle import documents, rows
from tests.oracle.model import EVERYWHERE, Device, Line, Regency, RuleSet, Schedule, Source, Unit
from tests.oracle.punches import Punch, read_punches
from tests.oracle.rows import Id, Read
from tests.oracle.tables import read_tables


@dataclass(frozen=True)
class Dataset:
    """All good rows. `documents` are schedules and rule sets; `tables` the rest, by file name."""

    regencies: dict[str, Regency]
    units: dict[str, Unit]
    devices: dict[str, Device]
    tables: dict[str, list[Read]]
    schedules: list[documents.Document]
    rules: list[documents.Document]
    punches: list[Punch]
    bad: list[Source]

    def zone(self, regency: str) -> ZoneInfo:
        return self.regencies[regency].zone

    def lines(self, employee: str) -> list[Line]:
        """Give a person's whole history, in the order in which later beats earlier (A7)."""
        own = [one for one in self.tables["employees.csv"] if one.content.employee == employee]

        def rank(one: Read) -> tuple[date, datetime, int]:
            recorded = one.moments["recorded_at"].at(self.zone(one.content.regency))
            return one.content.active_from, recorded, one.source.line

        return [one.content for one in sorted(own, key=rank)]

    def regency_on(self, employee: str, day: date) -> str:
        """Give a person's regency by the file's whole history, before the first line its (A3)."""
        lines = self.lines(employee)
        begun = max(day, min(one.active_from for one in lines))
        return [one for one in lines if one.active_from <= begun][-1].regency

    def zone_of(self, employee: str, day: date) -> ZoneInfo:
        return self.zone(self.regency_on(employee, day))


def read_dataset(folder: Path) -> Dataset:
    """Read everything. Errors: CannotLoadError (exit code 2)."""
    tables = read_tables(folder)
    bad = [source for table in tables.values() for source in table.bad]
    read: dict[str, list[Read]] = {}
    for name, table in tables.items():
        read[name] = []
        for cells in table.rows:
            try:
                read[name].append(rows.READERS[name](cells))
            except ValueError:
                bad.append(cells.source)
    schedules, bad_schedules = documents.read_documents(
        folder / "schedules", documents.read_schedule
    )
    rules, bad_rules = documents.read_documents(folder / "rules", documents.read_rule_set)
    bad += bad_schedules + bad_rules

    schedules, rules = drop_dangling(read, schedules, rules, bad)
    regencies = {one.content.code: one.content for one in read["regencies.csv"]}
    devices = {}
    for one in read["devices.csv"]:
        serial, code, zone = one.content
        devices[serial] = Device(serial, code, zone or regencies[code].zone)
    units = {one.content.unit_id: one.content for one in read["units.csv"]}
    punches, bad_punches = read_punches(folder, set(devices))
    dataset = Dataset(regencies, units, devices, read, schedules, rules, punches, bad)
    bad += bad_punches
    drop_contradictions(dataset)
    return dataset


def drop_dangling(
    read: dict[str, list[Read]],
    schedules: list[documents.Document],
    rules: list[documents.Document],
    bad: list[Source],
) -> tuple[list[documents.Document], list[documents.Document]]:
    """Drop, again and again, the rows that point at what no good row defines (A17)."""
    while True:
        known = {one.defines for table in read.values() for one in table if one.defines}
        codes = {name for kind, name in known if kind == "regency"}
        known |= {("scope", code) for code in codes}
        known |= {("scope", code.split(".")[0]) for code in codes}
        dangling = [one for one in schedules + rules if not lies_in(one.content, codes)]
        schedules = [one for one in schedules if one not in dangling]
        rules = [one for one in rules if one not in dangling]
        known |= {("schedule", schedule_id(one.content)) for one in schedules}
        lost = [one.source for one in dangling]
        for name, table in read.items():
            lost += [one.source for one in table if not points_well(one, known)]
            read[name] = [one for one in table if points_well(one, known)]
        if not lost:
            return schedules, rules
        bad += lost


def lies_in(content: Schedule | RuleSet, codes: set[str]) -> bool:
    return content.regency == EVERYWHERE or content.regency in codes


def schedule_id(content: Schedule | RuleSet) -> str:
    return content.schedule_id if isinstance(content, Schedule) else ""


def points_well(one: Read, known: set[Id]) -> bool:
    return all(target in known for target in one.points_at)


def drop_contradictions(dataset: Dataset) -> None:
    """Drop what ends before it begins, and second rows with one id (A17); zones are known."""
    for name, table in dataset.tables.items():
        taken: set[str] = set()
        good = []
        for one in table:
            name_taken = identity(one) in taken
            if name_taken or ends_too_early(dataset, one):
                dataset.bad.append(one.source)
                continue
            taken |= {identity(one)} - {""}
            good.append(one)
        dataset.tables[name] = good


def identity(one: Read) -> str:
    """Give the id that only one row may have; blank for rows that have none."""
    if one.source.file == "excuses.csv":
        return str(one.content.excuse_id)
    return str(one.content[0]) if one.source.file == "outages.csv" else ""


def ends_too_early(dataset: Dataset, one: Read) -> bool:
    instants = instants_of(dataset, one)
    if one.source.file == "excuses.csv" and "revoked_at" in instants:
        return instants["revoked_at"] < instants["recorded_at"]
    return "to" in instants and instants["to"] < instants["from"]


def instants_of(dataset: Dataset, one: Read) -> dict[str, datetime]:
    """Give the times of a row as instants, each read in its own zone (A3)."""
    content = one.content
    zones: dict[str, Callable[[date], ZoneInfo]] = {
        "employees.csv": lambda _: dataset.zone(content.regency),
        "pins.csv": lambda _: dataset.devices[content.serial].zone,
        "late-uploads.csv": lambda _: dataset.devices[content].zone,
        "outages.csv": lambda _: dataset.zone(content[1]),
        "check-ins.csv": lambda day: dataset.zone_of(content[0], day),
        "shifts.csv": lambda day: dataset.zone_of(content.employee, day),
        "excuses.csv": lambda day: dataset.zone_of(content.employee, day),
    }
    zone = zones.get(one.source.file)
    if zone is None:  # A decree of the calendar has an instant in each regency.
        return {}
    return {name: moment.at(zone(moment.wall.date())) for name, moment in one.moments.items()}
