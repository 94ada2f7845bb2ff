"""The content of the broadcasts so far: regencies, units, schedules, calendars, rules, closings.

One object per partition, changed in log order only: a fold sees exactly the broadcasts before its
record on the log (design 2).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from services.attendance.domain import outages, rules, schedule
from services.attendance.domain.fold_version import FIRST, FOLD_VERSIONS, SERVICE
from services.attendance.domain.outages import Outage
from services.attendance.domain.pins import PinBook, PinRow
from services.attendance.domain.rules import RuleSet
from services.attendance.domain.schedule import Plan, Schedule
from services.attendance.domain.units import Unit, schedule_of
from shared.events.base import ContradictionError, UnknownFoldVersionError
from shared.kernel.holidays import HolidayCalendar
from shared.kernel.local_time import NEVER, LocalClock, clock_of, date_of


class Ask(Struct, frozen=True):
    """What a schedule asks of its people on a date, as known now. One object for all of them."""

    regency: "Regency"
    schedule_id: str | None
    plan: Plan | None
    required: bool


@dataclass(slots=True)
class Regency:
    """What is known of one regency."""

    code: str
    clock: LocalClock
    calendar: HolidayCalendar = field(default_factory=HolidayCalendar)
    schedules: dict[str, list[Schedule]] = field(default_factory=dict)
    outages: list[Outage] = field(default_factory=list)
    rule_sets: list[RuleSet] = field(default_factory=list)
    first_closed: int | None = None
    last_closed: int = -1
    days_back: int = 0  # How far spans reach behind and ahead of their date, over all schedules.
    days_ahead: int = 0
    open_from: int = 0  # Instant; the spans of the days that are closed all end before it.
    _asks: dict[tuple[str | None, int], Ask] = field(default_factory=dict)
    _rules: dict[tuple[str, int], RuleSet | None] = field(default_factory=dict)

    def is_closed(self, day: int) -> bool:
        """Say whether a workday of this regency is closed."""
        return self.first_closed is not None and self.first_closed <= day <= self.last_closed

    def asks(self, schedule_id: str | None, day: int) -> Ask:
        """Say what a schedule asks of its people on a date (semantics B3, B5)."""
        key = schedule_id, day
        found = self._asks.get(key)
        if found is None:
            versions = self.schedules.get(schedule_id, ()) if schedule_id else ()
            version = schedule.in_force(versions, self.code, day)
            plan = version.plan(self.clock, day) if version is not None else None
            named = version.id if version is not None else None
            free = self.calendar.is_holiday(day) and not (version and version.on_holidays)
            working = plan is not None and bool(plan.presence) and not free
            found = self._asks[key] = Ask(self, named, plan, working)
        return found

    def rules(self, employment: str, day: int) -> RuleSet | None:
        """Give the rule set in force for a class on a day, as known now."""
        key = employment, day
        if key not in self._rules:
            self._rules[key] = rules.in_force(self.rule_sets, self.code, employment, day)
        return self._rules[key]

    def note_open(self) -> None:
        """Compute from when on check-ins belong to open days only, after a closing or schedule."""
        if self.first_closed is not None:
            self.open_from = self.clock.midnight(self.last_closed + 1 + self.days_back)

    def forget_answers(self) -> None:
        """Clear the caches: something new was published."""
        self._asks.clear()
        self._rules.clear()


@dataclass(slots=True)
class Knowledge:
    """Everything that the broadcasts contained so far."""

    regencies: dict[str, Regency] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    rule_sets: dict[str, RuleSet] = field(default_factory=dict)  # By key.
    pins: PinBook = field(default_factory=PinBook)
    fold_versions: Sequence[int] = FOLD_VERSIONS  # Those that this code can fold by.
    fold_version: int = FIRST  # The version by which the present record is folded.
    _unit_schedules: dict[str | None, str | None] = field(default_factory=dict)

    def unit_schedule(self, unit_id: str | None) -> str | None:
        """Give the schedule of a unit, else of the nearest unit above that has one (B5)."""
        if unit_id not in self._unit_schedules:
            self._unit_schedules[unit_id] = schedule_of(self.units, unit_id)
        return self._unit_schedules[unit_id]

    def adopt(self, version: int) -> None:
        """Fold by a version from here on. Errors: UnknownFoldVersionError if this code cannot."""
        if version not in self.fold_versions:
            raise UnknownFoldVersionError(version, self.fold_versions)
        self.fold_version = version
        self._unit_schedules.clear()
        for regency in self.regencies.values():
            regency.note_open()
            regency.forget_answers()


def learn(knowledge: Knowledge, kind: str, subject: str, data: Any) -> None:
    """Add one broadcast to the knowledge. `subject` is the regency it was sent to.

    Errors: ContradictionError where it contradicts what is known, naming both.
    """
    teach = _TEACH_ALL.get(kind)
    if teach is not None:
        teach(knowledge, data)
        return
    teach_regency = _TEACH.get(kind)
    if teach_regency is None:
        return
    regency = knowledge.regencies.get(subject)
    if regency is None:
        raise ContradictionError(f"{kind} for regency {subject}, which was never registered")
    teach_regency(knowledge, regency, data)


def _registered(knowledge: Knowledge, data: Any) -> None:
    knowledge.regencies.setdefault(data.code, Regency(data.code, clock_of(data.timezone)))


def _adopted(knowledge: Knowledge, data: Any) -> None:
    if data.service == SERVICE:  # Another service's fold is its own business.
        knowledge.adopt(data.version)


def _unit(knowledge: Knowledge, data: Any) -> None:
    knowledge.units[data.unit_id] = data
    knowledge._unit_schedules.clear()  # noqa: SLF001  (its own module)


def _pin(knowledge: Knowledge, data: Any) -> None:
    ends = NEVER if data.valid_to is None else data.valid_to.toordinal()
    row = PinRow(data.valid_from.toordinal(), ends, data.employee_id)
    knowledge.pins.assign(data.serial, data.pin, row)


def _schedule(_: Knowledge, regency: Regency, data: Any) -> None:
    version = schedule.schedule_from(data)
    regency.schedules.setdefault(version.id, []).append(version)
    before, after = version.reach()
    regency.days_back = max(regency.days_back, after)
    regency.days_ahead = max(regency.days_ahead, before)
    regency.note_open()
    regency.forget_answers()


def _calendar(_: Knowledge, regency: Regency, data: Any) -> None:
    regency.calendar.decree(data.on.toordinal(), data.scope, data.kind)
    regency.forget_answers()


def _outage(_: Knowledge, regency: Regency, data: Any) -> None:
    outage = outages.outage_from(data)
    for known in regency.outages:
        if known.id == outage.id and known != outage:
            raise ContradictionError(f"outage {outage.id} is declared twice: {known} and {outage}")
    regency.outages.append(outage)


def _rule_set(knowledge: Knowledge, regency: Regency, data: Any) -> None:
    rule_set = rules.rule_set_from(data, regency.code)
    for known in regency.rule_sets:
        same = (known.regency, known.id, known.version) == (
            rule_set.regency,
            rule_set.id,
            rule_set.version,
        )
        if same and known.digest != rule_set.digest:
            raise ContradictionError(
                f"rule set {known.id}@{known.version} of {known.regency} is published twice:"
                f" digest {known.digest} and {rule_set.digest}"
            )
    regency.rule_sets.append(rule_set)
    knowledge.rule_sets[rule_set.key] = rule_set
    regency.forget_answers()


def _closed(_: Knowledge, regency: Regency, data: Any) -> None:
    day = data.on.toordinal()
    if regency.first_closed is None:
        regency.first_closed = regency.last_closed = day
    elif day == regency.last_closed + 1:
        regency.last_closed = day
    elif not regency.is_closed(day):
        raise ContradictionError(
            f"the closing of {data.on} in {regency.code} does not follow that of"
            f" {date_of(regency.last_closed)}: every date is closed, one after the other"
        )
    regency.note_open()


_TEACH = {
    "SchedulePublished": _schedule,
    "CalendarPublished": _calendar,
    "OutageDeclared": _outage,
    "RuleSetPublished": _rule_set,
    "WorkdayClosed": _closed,
}
_TEACH_ALL = {
    "RegencyRegistered": _registered,
    "UnitRegistered": _unit,
    "PinAssigned": _pin,
    "FoldAdopted": _adopted,
}
TAUGHT = frozenset(_TEACH) | frozenset(_TEACH_ALL)
