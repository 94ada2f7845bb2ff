"""Reading a whole dataset folder (design 8.1; semantics A3 to A19)."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from services.attendance.dataset import building, checks, rows, tables
from services.attendance.dataset.attlog import read_attlog
from services.attendance.dataset.building import Clocks, built
from services.attendance.dataset.dataset import Dataset
from services.attendance.dataset.documents import (
    Draft,
    read_documents,
    take_rule_set,
    take_schedule,
)
from services.attendance.dataset.findings import Finding, Findings, UnusableDatasetError
from services.attendance.dataset.history import Histories
from services.attendance.dataset.punches import Heard, hear
from services.attendance.dataset.references import (
    Ids,
    first_of_each,
    keep_pointing,
    settle_documents,
    settle_people,
    settle_regencies,
)
from services.attendance.dataset.table_reader import Read, read_table

SCHEDULES, RULES, ATTLOG = "schedules", "rules", "attlog"


def read_dataset(folder: Path) -> Dataset:
    """Read a dataset folder; rows that cannot be read are findings, the others are loaded.

    Errors: UnusableDatasetError (exit code 2) if the folder or an obligatory file is missing, or
    if a column is missing, unknown or doubled.
    """
    if not folder.is_dir():
        raise UnusableDatasetError([Finding(str(folder), 0, "", "", "no_folder")])
    findings = Findings()
    reads = _read_tables(folder, findings)
    drafts = {
        SCHEDULES: read_documents(folder, SCHEDULES, take_schedule, findings),
        RULES: read_documents(folder, RULES, take_rule_set, findings),
    }
    ids = Ids()
    settle_regencies(reads["regencies.csv"], ids, findings)
    schedules = settle_documents(drafts[SCHEDULES], ids, findings)
    broken = drafts[SCHEDULES].broken_ids
    ids.define("schedule", (draft.content["id"] for draft in schedules), broken)
    rule_sets = settle_documents(drafts[RULES], ids, findings)
    settle_people(reads["units.csv"], reads["employees.csv"], ids, findings)
    _settle_others(reads, ids, findings)
    checks.unknown_files(folder, findings)
    return _build(folder, reads, schedules, rule_sets, findings)


def _read_tables(folder: Path, findings: Findings) -> dict[str, Read]:
    """Read every table; reasons that make the dataset unusable are collected over all tables."""
    reads: dict[str, Read] = {}
    unusable: list[Finding] = []
    for table in tables.TABLES:
        try:
            reads[table.file] = read_table(folder, table, findings)
        except UnusableDatasetError as stop:
            unusable.extend(stop.findings)
    if unusable:
        raise UnusableDatasetError(unusable)
    return reads


def _settle_others(reads: Mapping[str, Read], ids: Ids, findings: Findings) -> None:
    devices = reads["devices.csv"]
    keep_pointing(tables.DEVICES, devices, ids, findings)
    devices.rows = first_of_each(tables.DEVICES, devices.rows, findings)
    ids.define("device", (row["serial"] for row in devices.rows), devices.broken_ids)
    for table in (
        tables.CONTACTS,
        tables.PINS,
        tables.SHIFTS,
        tables.CALENDAR,
        tables.EXCUSES,
        tables.OUTAGES,
        tables.LATE_UPLOADS,
        tables.CHECK_INS,
    ):
        keep_pointing(table, reads[table.file], ids, findings)


def _build(
    folder: Path,
    reads: Mapping[str, Read],
    schedules: list[Draft],
    rule_sets: list[Draft],
    findings: Findings,
) -> Dataset:
    """Give every row its instants, and the dataset its findings in the order of the files."""
    regencies = {row["code"]: rows.Regency(**row) for row in reads["regencies.csv"].rows}
    devices = {row["serial"]: rows.Device(**row) for row in reads["devices.csv"].rows}
    clocks = Clocks(regencies)
    clocks.add_devices(devices.values())
    employees = built(reads["employees.csv"].rows, lambda row: building.employee(row, clocks))
    histories = Histories(employees)
    pins = built(reads["pins.csv"].rows, lambda row: building.pin(row, clocks))
    excuses = built(
        reads["excuses.csv"].rows,
        lambda row: building.excuse(row, clocks, histories, findings),
    )
    outages = built(reads["outages.csv"].rows, lambda row: building.outage(row, clocks, findings))
    late = built(
        reads["late-uploads.csv"].rows,
        lambda row: building.late_upload(row, clocks, findings),
    )
    dataset = Dataset(
        folder=folder,
        regencies=regencies,
        units=tuple(rows.Unit(**row) for row in reads["units.csv"].rows),
        employees=tuple(employees),
        contacts=_contacts(reads["contacts.csv"]),
        devices=devices,
        pins=tuple(pins),
        schedules=tuple(building.document(d, clocks, regencies) for d in schedules),
        rule_sets=checks.one_content_each(
            [building.document(d, clocks, regencies) for d in rule_sets], findings
        ),
        shifts=tuple(building.shift(r, clocks, histories) for r in reads["shifts.csv"].rows),
        calendar=tuple(building.decree(r, clocks, regencies) for r in reads["calendar.csv"].rows),
        excuses=checks.first_by_id(tables.EXCUSES, excuses, findings),
        outages=checks.first_by_id(tables.OUTAGES, outages, findings),
        check_ins=tuple(
            building.check_in(r, clocks, histories, findings) for r in reads["check-ins.csv"].rows
        ),
        punches=_punches(folder, clocks, late, pins, findings),
        histories=histories,
        clocks=clocks,
        findings=(),
    )
    return checks.checked(dataset, findings)


def _contacts(read: Read) -> dict[str, tuple[rows.Contact, ...]]:
    contacts: dict[str, tuple[rows.Contact, ...]] = {}
    for row in read.rows:
        contact = rows.Contact(**row)
        contacts[contact.employee_id] = (*contacts.get(contact.employee_id, ()), contact)
    return contacts


def _punches(
    folder: Path,
    clocks: Clocks,
    late: Iterable[rows.LateUpload],
    pins: Iterable[rows.Pin],
    findings: Findings,
) -> tuple[Heard, ...]:
    """Read the machines' logs, by file name."""
    late_of: dict[str, list[rows.LateUpload]] = {}
    for upload in late:
        late_of.setdefault(upload.serial, []).append(upload)
    pins_of: dict[str, list[rows.Pin]] = {}
    for pin in pins:
        pins_of.setdefault(pin.serial, []).append(pin)
    heard = []
    for path in sorted((folder / ATTLOG).glob("*.dat")):
        known = clocks.has_device(path.stem)
        log = read_attlog(path, findings, known=known)
        if known:
            serial = log.serial
            clock = clocks.device(serial)
            heard.append(hear(log, clock, late_of.get(serial, ()), pins_of.get(serial, ())))
    return tuple(heard)
