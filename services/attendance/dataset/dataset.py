"""A dataset folder that was read: good rows, and findings for everything else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.attendance.dataset import rows
from services.attendance.dataset.building import Clocks
from services.attendance.dataset.findings import Finding
from services.attendance.dataset.history import Histories
from services.attendance.dataset.punches import Heard


@dataclass(frozen=True)
class Dataset:
    """The good rows of a folder, in the order of their files; references are known to exist."""

    folder: Path
    regencies: Mapping[str, rows.Regency]
    units: tuple[rows.Unit, ...]
    employees: tuple[rows.Employee, ...]
    contacts: Mapping[str, tuple[rows.Contact, ...]]
    devices: Mapping[str, rows.Device]
    pins: tuple[rows.Pin, ...]
    schedules: tuple[rows.Document, ...]
    rule_sets: tuple[rows.Document, ...]
    shifts: tuple[rows.Shift, ...]
    calendar: tuple[rows.Decree, ...]
    excuses: tuple[rows.Excuse, ...]
    outages: tuple[rows.Outage, ...]
    check_ins: tuple[rows.CheckIn, ...]
    punches: tuple[Heard, ...]
    histories: Histories
    clocks: Clocks
    findings: tuple[Finding, ...]
