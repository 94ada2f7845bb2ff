"""Makes rows of values as written: times become instants in the zone that semantics A3 names."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TypeVar

from services.attendance.dataset import rows
from services.attendance.dataset.documents import Draft
from services.attendance.dataset.findings import Findings
from services.attendance.dataset.history import Histories
from services.attendance.dataset.table_reader import Row
from services.attendance.dataset.tables import CHECK_INS, EXCUSES, LATE_UPLOADS, OUTAGES
from services.attendance.dataset.times import Written
from services.attendance.domain.schedule import EVERYWHERE
from shared.kernel.holidays import covers
from shared.kernel.local_time import DAY, EPOCH_DAY, LocalClock, clock_of, date_of

T = TypeVar("T")


class Clocks:
    """The clocks by which written times are read."""

    def __init__(self, regencies: Mapping[str, rows.Regency]) -> None:
        self._regencies = {code: clock_of(r.timezone) for code, r in regencies.items()}
        self._devices: dict[str, LocalClock] = {}

    def add_devices(self, devices: Iterable[rows.Device]) -> None:
        """Add the machines; one without a zone has its regency's (A3)."""
        for device in devices:
            own = device.timezone
            self._devices[device.serial] = clock_of(own) if own else self.regency(device.regency)

    def regency(self, code: str) -> LocalClock:
        """Give the clock of a regency."""
        return self._regencies[code]

    def device(self, serial: str) -> LocalClock:
        """Give the clock of a machine."""
        return self._devices[serial]

    def has_device(self, serial: str) -> bool:
        """Say whether a machine is known."""
        return serial in self._devices

    def person(self, histories: Histories, employee_id: str, written: Written) -> int:
        """Give the instant of a time on the clock of the person's regency on that date."""
        if written.offset is not None:
            return written.local - written.offset
        return self.regency(histories.regency_on(employee_id, written.on)).instant(written.local)

    def home(self, histories: Histories, employee_id: str, at: int) -> str:
        """Give the person's regency on the local date of an instant."""
        utc = date.fromordinal(at // DAY + EPOCH_DAY)
        guess = self.regency(histories.regency_on(employee_id, utc))
        return histories.regency_on(employee_id, date_of(guess.day_of(at)))


def employee(row: Row, clocks: Clocks) -> rows.Employee:
    """Give a line of a person's history, its time read in the regency that it names."""
    recorded_at = row["recorded_at"].instant(clocks.regency(row["regency"]))
    return rows.Employee(**{**row, "recorded_at": recorded_at})


def pin(row: Row, clocks: Clocks) -> rows.Pin:
    """Give a PIN; its column `recorded_at` may be missing or blank."""
    written = row.get("recorded_at")
    recorded_at = None if written is None else written.instant(clocks.device(row["serial"]))
    return rows.Pin(**{**row, "recorded_at": recorded_at})


def shift(row: Row, clocks: Clocks, histories: Histories) -> rows.Shift:
    """Give a shift."""
    who = row["employee_id"]
    recorded_at = clocks.person(histories, who, row["recorded_at"])
    return rows.Shift(row["line"], who, row["date"], row["schedule_id"], recorded_at)


def decree(row: Row, clocks: Clocks, codes: Iterable[str]) -> rows.Decree:
    """Give a row of a calendar decree, for each regency within its scope."""
    scope = row["scope"]
    known = {
        code: row["recorded_at"].instant(clocks.regency(code))
        for code in codes
        if covers(scope, code)
    }
    return rows.Decree(row["line"], row["date"], scope, row["kind"], row["name"], known)


def excuse(
    row: Row, clocks: Clocks, histories: Histories, findings: Findings
) -> rows.Excuse | None:
    """Give a letter; None if it is revoked before it is recorded."""
    who, revoked = row["employee_id"], row["revoked_at"]
    recorded_at = clocks.person(histories, who, row["recorded_at"])
    revoked_at = None if revoked is None else clocks.person(histories, who, revoked)
    place = EXCUSES.file, row["line"]
    if revoked_at is not None and revoked_at < recorded_at:
        findings.error(place, "revoked_at", revoked.text, "revoked_before_recorded")
        return None
    if not row["kind"]:
        findings.warn(place, "kind", "", "blank_kind")
    return rows.Excuse(
        row["line"], row["excuse_id"], who, row["from"], row["to"],
        row["kind"], row["document"], recorded_at, revoked_at,
    )  # fmt: skip


def outage(row: Row, clocks: Clocks, findings: Findings) -> rows.Outage | None:
    """Give an outage; None if it ends before it begins."""
    clock = clocks.regency(row["regency"])
    begins, recorded = row["from"].instant(clock), row["recorded_at"].instant(clock)
    ends = None if row["to"] is None else row["to"].instant(clock)
    if ends is not None and ends < begins:
        place = OUTAGES.file, row["line"]
        findings.error(place, "to", row["to"].text, "end_before_beginning")
        return None
    return rows.Outage(
        row["line"], row["outage_id"], row["regency"], row["unit_id"], row["serial"],
        begins, ends, row["reason"], recorded,
    )  # fmt: skip


def late_upload(row: Row, clocks: Clocks, findings: Findings) -> rows.LateUpload | None:
    """Give a late upload; None if its span ends before it begins."""
    clock = clocks.device(row["serial"])
    begins, ends = row["from"].instant(clock), row["to"].instant(clock)
    if ends < begins:
        place = LATE_UPLOADS.file, row["line"]
        findings.error(place, "to", row["to"].text, "end_before_beginning")
        return None
    received = row["received_at"].instant(clock)
    return rows.LateUpload(row["line"], row["serial"], begins, ends, received)


def check_in(row: Row, clocks: Clocks, histories: Histories, findings: Findings) -> rows.CheckIn:
    """Give a check-in without a device."""
    who, received = row["employee_id"], row["received_at"]
    occurred_at = clocks.person(histories, who, row["occurred_at"])
    received_at = occurred_at if received is None else clocks.person(histories, who, received)
    place = CHECK_INS.file, row["line"]
    if received_at < occurred_at:
        findings.warn(place, "received_at", received.text, "received_before")
    if row["via"] == "device":
        findings.warn(place, "via", "device", "via_device")
    return rows.CheckIn(row["line"], who, occurred_at, received_at, row["via"])


def document(draft: Draft, clocks: Clocks, codes: Iterable[str]) -> rows.Document:
    """Give a schedule or rule set, for each regency that it concerns."""
    own = draft.content["regency"]
    written = draft.recorded_at
    known = {
        code: None if written is None else written.instant(clocks.regency(code))
        for code in codes
        if own in (EVERYWHERE, code)
    }
    return rows.Document(draft.file, draft.content, known)


def built(rows_: Iterable[Row], build: Callable[[Row], T | None]) -> list[T]:
    """Build the rows that can be built."""
    return [row for row in map(build, rows_) if row is not None]
