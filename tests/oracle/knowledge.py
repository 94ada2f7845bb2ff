"""What is known so far, of everybody and of one person; nothing here concludes anything."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from tests.oracle.facts import Fact
from tests.oracle.model import (
    CheckIn,
    Closing,
    Decree,
    Excuse,
    Line,
    Outage,
    Pin,
    Regency,
    Revocation,
    RuleSet,
    Schedule,
    Shift,
    Unit,
)


@dataclass(frozen=True)
class Assessment:
    """What is said of one day. `covered`: an excuse or outage covers it, whatever the status."""

    status: str
    late_minutes: int = 0
    early_minutes: int = 0
    missed: tuple[str, ...] = ()
    excuse_id: str | None = None
    check_ins: tuple[tuple[str, ...], ...] = ()


@dataclass
class Day:
    """A day that was said, with what was decided once and is kept (B13, C2, reading R1)."""

    day: date
    regency: str
    employment: str
    rule_set: RuleSet | None
    said: Assessment | None = None
    revision: int = 0
    window_start: date | None = None
    window_ended: bool = False
    covered: bool = False


@dataclass
class Person:
    """Everything heard of one person, each list in log order, and what was said of him."""

    name: str
    lines: list[Line] = field(default_factory=list)
    shifts: list[Shift] = field(default_factory=list)
    excuses: list[Excuse] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)
    check_ins: list[CheckIn] = field(default_factory=list)
    days: dict[date, Day] = field(default_factory=dict)

    def hear(self, fact: Fact) -> None:
        match fact.content:
            case Line():
                self.lines.append(fact.content)
            case Shift():
                self.shifts.append(fact.content)
            case Excuse():
                self.excuses.append(fact.content)
            case Revocation():
                self.revoked.add(fact.content.excuse_id)
            case CheckIn():
                self.check_ins.append(fact.content)


@dataclass
class World:
    """The broadcast facts heard so far, by the regency to which they were told."""

    regencies: dict[str, Regency]
    units: dict[str, Unit]
    schedules: dict[str, list[Schedule]] = field(default_factory=lambda: defaultdict(list))
    rules: dict[str, list[RuleSet]] = field(default_factory=lambda: defaultdict(list))
    decrees: dict[str, list[Decree]] = field(default_factory=lambda: defaultdict(list))
    outages: list[Outage] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)
    closed: dict[str, set[date]] = field(default_factory=lambda: defaultdict(set))

    def hear(self, fact: Fact) -> None:
        match fact.content:
            case Schedule():
                self.schedules[fact.regency].append(fact.content)
            case RuleSet():
                self.rules[fact.regency].append(fact.content)
            case Decree():
                self.decrees[fact.regency].append(fact.content)
            case Outage():
                self.outages.append(fact.content)
            case Pin():
                self.pins.append(fact.content)
            case Closing():
                self.closed[fact.regency].add(fact.content.day)

    def local_date(self, known: datetime, regency: str) -> date:
        return known.astimezone(self.zone(regency)).date()

    def zone(self, regency: str) -> ZoneInfo:
        return self.regencies[regency].zone
