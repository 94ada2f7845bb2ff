"""Facts and events of the attendance service. Names are stored: never changed."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.events.base import Fact, Sealed, Wire

FACTS = "attendance.facts.v1"
EVENTS = "attendance.events.v1"

Via = Literal["device", "mobile", "file", "manual"]
Employment = Literal["PNS", "CPNS", "PPPK", "PPPK_PARUH_WAKTU", "PTT"]
CalendarKind = Literal["holiday", "joint_leave", "working_day"]
CheckpointKind = Literal["presence", "apel"]
Direction = Literal["in", "out", "any"]
Status = Literal["present", "excused", "held", "pending", "unexcused", "off"]
Measure = Literal["cumulative", "consecutive"]
Level = Literal["ringan", "sedang", "berat"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class KeyedFact(Fact):
    """A fact of one person, keyed by `employee_id`."""

    SERVICE: ClassVar[str] = "attendance"
    TOPIC: ClassVar[str] = FACTS
    NUMBERED: ClassVar[bool] = False


class BroadcastFact(KeyedFact):
    """A fact that concerns a whole regency: written to every partition (design 2)."""

    BROADCAST: ClassVar[bool] = True


class DerivedEvent(Fact):
    """Concluded from facts, and derivable again from the log."""

    SERVICE: ClassVar[str] = "attendance"
    TOPIC: ClassVar[str] = EVENTS
    TOLD: ClassVar[bool] = False


# Facts of one person.


class DevicePunch(Wire):
    """What the machine sent; kept as evidence, and no rule uses it (semantics A16)."""

    serial: str
    pin: str
    status: str | None = None
    verify: str | None = None


class CheckInRecorded(KeyedFact):
    """Somebody was seen at a machine, by a phone, or was entered by hand."""

    employee_id: str
    occurred_at: AwareDatetime
    received_at: AwareDatetime
    via: Via
    device: DevicePunch | None = None
    place: str | None = None
    signals: tuple[str, ...] = ()  # Doubts, never verdicts.


class PunchUnresolved(KeyedFact):
    """A punch whose PIN nobody has been assigned yet. Keyed by the device's serial."""

    serial: str
    pin: str
    occurred_at: AwareDatetime
    received_at: AwareDatetime
    status: str | None = None
    verify: str | None = None


class Contact(Wire):
    """Where a person can be reached: the address is sealed."""

    channel: str
    address: Sealed


class EmployeeRegistered(KeyedFact):
    """A dated line of a person's history (semantics A7). Contacts come with the first line."""

    employee_id: str
    nip: Sealed | None
    name: Sealed | None
    regency: str
    unit_id: str | None
    employment: Employment
    position_level: str | None
    supervisor_id: str | None
    schedule_id: str | None
    active_from: date
    active_to: date | None
    contacts: tuple[Contact, ...] = ()


class ExcuseRecorded(KeyedFact):
    """A letter that covers the workdays beginning on `first_on`..`last_on`, inclusive (B7)."""

    NAMED: ClassVar[bool] = True

    excuse_id: str
    employee_id: str
    first_on: date
    last_on: date
    kind: Sealed
    document: Sealed | None = None


class ExcuseRevoked(KeyedFact):
    """A letter is void for all its days, also past ones (B7)."""

    excuse_id: str
    employee_id: str


class ShiftAssigned(KeyedFact):
    """The schedule of one person on one date; an empty one frees the person (B3)."""

    employee_id: str
    on: date
    schedule_id: str | None


class PersonForgotten(KeyedFact):
    """A person's key is destroyed: nothing readable of him is left on the log (design 3)."""

    employee_id: str


# Broadcast facts.


class RegencyRegistered(BroadcastFact):
    """A regency, by its Kemendagri code: the tenant."""

    code: str
    name: str
    province: str
    timezone: str


class UnitRegistered(BroadcastFact):
    """An office of a regency; `parent_unit_id` is the one above."""

    unit_id: str
    regency: str
    name: str
    parent_unit_id: str | None
    head_employee_id: str | None
    schedule_id: str | None


class DeviceRegistered(BroadcastFact):
    """A fingerprint machine; its clock runs in `timezone`, or in the regency's."""

    serial: str
    regency: str
    unit_id: str | None
    timezone: str | None


class PinAssigned(BroadcastFact):
    """Whose PIN on a machine it is, from a device-local date to another, inclusive (A9)."""

    serial: str
    pin: str
    employee_id: str
    valid_from: date
    valid_to: date | None


class Checkpoint(Wire):
    """A window of a workday. Units: minutes after local midnight; may exceed 1,440."""

    name: str
    opens: int
    due: int
    closes: int
    kind: CheckpointKind
    direction: Direction


class SchedulePublished(BroadcastFact):
    """A version of a schedule; `regency` is a code or `*` (semantics B5)."""

    id: str
    regency: str
    effective_from: date
    slack_minutes: int
    on_holidays: bool = False
    week: dict[Weekday, tuple[Checkpoint, ...]]


class CalendarPublished(BroadcastFact):
    """One row of a calendar decree: one date in one scope (`ID`, `53`, `53.01`; semantics B4)."""

    on: date
    scope: str
    kind: CalendarKind
    name: str


class OutageDeclared(BroadcastFact):
    """No data is not absence: machines or lines were down (semantics B9, B10)."""

    outage_id: str
    regency: str
    unit_id: str | None
    serial: str | None
    begins_at: AwareDatetime
    ends_at: AwareDatetime | None
    reason: Sealed | None = None


class Counting(Wire):
    """How days are counted (design 5). Units: workdays, marks, minutes."""

    evidence_window_workdays: int = 3
    min_presence_marks: int = 1
    run_crosses_year: bool = True
    lateness_day_minutes: int | None = None


class Tier(Wire):
    """A count of days and the sanction that the law asks for at it."""

    days: int
    level: Level
    sanction: str
    article: str


class Tiers(Wire):
    """The two ladders."""

    cumulative: tuple[Tier, ...] = ()
    consecutive: tuple[Tier, ...] = ()


class RuleSetPublished(BroadcastFact):
    """A rule set; `digest` is the SHA-256 of the document's canonical JSON (design 5)."""

    id: str
    version: int
    legal_basis: str
    regency: str
    applies_to: tuple[Employment, ...]
    effective_from: date
    counting: Counting
    tiers: Tiers
    digest: str


class WorkdayClosed(BroadcastFact):
    """The workday is over in that regency: time passes by records of the log, not by a clock."""

    regency: str
    on: date


class FoldAdopted(BroadcastFact):
    """From here on a service's fold concludes by its new version (design 4).

    Subject and regency are `*`: it concerns all of them, and its reason is sealed under that key.
    """

    service: str
    version: int
    reason: Sealed | None = None


# Events.


class RuleSetRef(Wire):
    """Which rule set was used."""

    id: str
    version: int
    digest: str


class WorkdayAssessed(DerivedEvent):
    """One required day of one person as known now; published again with a higher revision."""

    employee_id: str
    on: date
    status: Status
    revision: int
    late_minutes: int
    early_minutes: int
    missed: tuple[str, ...]
    excuse_id: str | None
    check_ins: tuple[str, ...]  # Ids of the CheckInRecorded attributed to the day.
    window_from: date | None  # Where the evidence window of a day without presence starts (B13).
    employment: Employment
    unit_id: str | None
    schedule_id: str | None
    rule_set: RuleSetRef | None


class EmployeeThen(Wire):
    """What was known of the person when the threshold was published."""

    employment: Employment
    unit_id: str | None
    position_level: str | None
    supervisor_id: str | None


class TierReached(Wire):
    """The tier of the ladder; `weight` orders tiers (semantics D3)."""

    level: Level
    sanction: str
    article: str
    weight: int = Field(description="level (1-3) times 1000, plus days on the yearly ladder")


class AbsenceThresholdReached(DerivedEvent):
    """Unexcused days brought a person to a tier."""

    employee_id: str
    employment_class: Employment  # Days add up within it, PNS and CPNS being one (C1).
    year: int
    measure: Measure
    threshold_days: int
    days: int
    dates: tuple[date, ...]
    rule_set: RuleSetRef
    employee: EmployeeThen
    tier: TierReached
    evidence: tuple[str, ...]  # Ids of the WorkdayAssessed events that count.


class AbsenceThresholdRetracted(DerivedEvent):
    """A threshold no longer stands (semantics C12)."""

    employee_id: str
    employment_class: Employment
    year: int
    measure: Measure
    threshold_days: int
    threshold_event_id: str
    days: int = Field(description="the count that is left")
