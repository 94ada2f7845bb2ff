"""What is doubtful but usable in a dataset: reported, and loaded (semantics A17)."""

from collections.abc import Iterable, Mapping
from datetime import date

from services.attendance.dataset import nip, rows
from services.attendance.dataset.findings import Findings
from services.attendance.dataset.punches import Heard
from services.attendance.dataset.tables import EMPLOYEES, LATE_UPLOADS, PINS
from services.attendance.domain.schedule import EVERYWHERE
from services.attendance.domain.units import schedule_of

# The position levels of design 8.1.
POSITIONS = frozenset(
    {
        "JPT_MADYA",
        "JPT_PRATAMA",
        "ADMINISTRATOR",
        "PENGAWAS",
        "PELAKSANA",
        "JF_AHLI_UTAMA",
        "JF_AHLI_MADYA",
        "JF_AHLI_MUDA",
        "JF_AHLI_PERTAMA",
        "JF_KETERAMPILAN",
    }
)
WITHOUT_NIP = "PTT"  # Contract staff have a number of their own regency (Perka BKN 22/2007).


def doubt_people(employees: Iterable[rows.Employee], findings: Findings) -> None:
    """Note NIPs, position levels and supervisors that cannot be right."""
    lines = tuple(employees)
    known = {line.employee_id for line in lines}
    for line in lines:
        place = EMPLOYEES.file, line.line
        wrong = _nip(line)
        if wrong is not None:
            findings.warn(place, "nip", line.nip or "", wrong)
        if line.position_level is not None and line.position_level not in POSITIONS:
            findings.warn(place, "position_level", line.position_level, "unknown_position")
        if line.supervisor_id is not None and line.supervisor_id not in known:
            findings.warn(place, "supervisor_id", line.supervisor_id, "unknown_supervisor")


def _nip(line: rows.Employee) -> str | None:
    if line.nip is None:
        return None if line.employment == WITHOUT_NIP else "doubtful_nip"
    return nip.doubt(line.nip)


def doubt_pins(pins: Iterable[rows.Pin], findings: Findings) -> None:
    """Note assignments of one PIN whose dates overlap: the last begun counts (A9)."""
    by_pin: dict[tuple[str, str], list[rows.Pin]] = {}
    for row in pins:
        earlier = by_pin.setdefault((row.serial, row.pin), [])
        for other in earlier:
            if _overlap(row, other):
                place, first = (PINS.file, row.line), str(other.line)
                findings.warn(place, "pin", row.pin, "overlapping_pins", first=first)
                break
        earlier.append(row)


def _overlap(one: rows.Pin, other: rows.Pin) -> bool:
    latest = date.max
    return one.valid_from <= (other.valid_to or latest) and other.valid_from <= (
        one.valid_to or latest
    )


def doubt_punches(punches: Iterable[Heard], findings: Findings) -> None:
    """Note PINs that nobody ever had on the day of a punch, and punches received too early."""
    for heard in punches:
        for pin, lines in heard.unresolved.items():
            place, count = (heard.log.file, lines[0]), str(len(lines))
            findings.warn(place, "pin", pin, "unresolved_pin", count=count)
        for upload, _ in heard.received_before:
            place = LATE_UPLOADS.file, upload.line
            findings.warn(place, "received_at", heard.log.serial, "received_before")


class InForce:
    """Finds people for whom no schedule or rule set is in force (semantics B5, C3)."""

    def __init__(
        self,
        units: Iterable[rows.Unit],
        schedules: Iterable[rows.Document],
        rule_sets: Iterable[rows.Document],
        begins: Mapping[str, date],
    ) -> None:
        """Take the documents, and the first closed date of each regency."""
        self._units = {unit.unit_id: unit for unit in units}
        self._begins = begins
        self._schedules: dict[tuple[str, str], date] = {}
        self._rules: dict[tuple[str, str], date] = {}
        for schedule in schedules:
            _earliest(self._schedules, schedule, [schedule.content["id"]])
        for rule_set in rule_sets:
            _earliest(self._rules, rule_set, rule_set.content["applies_to"])

    def doubt(self, employees: Iterable[rows.Employee], findings: Findings) -> None:
        """Note lines that begin without a schedule or a rule set in force."""
        for line in employees:
            place, code = (EMPLOYEES.file, line.line), line.regency
            on = max(line.active_from, self._begins[code])
            schedule = line.schedule_id or schedule_of(self._units, line.unit_id)
            if schedule is None or not _begun(self._schedules, code, schedule, on):
                findings.warn(place, "schedule_id", schedule or "", "no_schedule")
            if not _begun(self._rules, code, line.employment, on):
                findings.warn(place, "employment", line.employment, "no_rule_set")


def _earliest(
    known: dict[tuple[str, str], date], document: rows.Document, names: Iterable[str]
) -> None:
    begins = document.content["effective_from"]
    for name in names:
        key = document.content["regency"], name
        known[key] = min(known.get(key, begins), begins)


def _begun(known: Mapping[tuple[str, str], date], code: str, name: str, on: date) -> bool:
    return any(known.get((own, name), date.max) <= on for own in (code, EVERYWHERE))
