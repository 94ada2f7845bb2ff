"""Explains each day of a year of one person, for that person to read. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.attendance.domain.person import Day, Person, Said
from services.attendance.domain.reference_data import Ask, Knowledge, Regency
from services.attendance.domain.rules import class_of, marks_of, window_of
from services.attendance.domain.workday import (
    asked,
    check_ins_of,
    closed_since,
    covering_outage,
    meet,
)
from shared.kernel.lines import is_active
from shared.kernel.local_time import date_of, year_of


@dataclass(frozen=True)
class Checkpoint:
    """A window of the day, and the check-ins that met it; times are local, `HH:MM`."""

    name: str
    opens: str
    due: str
    closes: str
    presence: bool
    met_by: tuple[str, ...]


@dataclass(frozen=True)
class Explained:
    """One assessed day: everything that an employee needs to check it.

    `number` is the day's place in the year's count of absences, if it counts; `window_left` how
    many counting days must still be closed before a pending day counts; `known` when letters
    became known, and `revoked` when they were revoked, by their id; `said_at` when the fact became
    known that made the day read so, a late check-in or decree included; `off_because` a key of the
    texts, of days on which nothing is asked.
    """

    on: str
    status: str
    revision: int
    schedule_id: str | None
    checkpoints: tuple[Checkpoint, ...]
    strays: tuple[str, ...]  # Check-ins of the day outside every presence window: still a sign.
    late_minutes: int
    early_minutes: int
    excuse_id: str | None
    revoked: Mapping[str, str]
    outage_id: str | None
    window_from: str | None
    window_left: int
    rule_set: str | None
    marks: int
    marks_needed: int
    number: int | None
    reached: tuple[Said, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict)
    off_because: str | None = None
    said_at: str = ""


@dataclass(frozen=True)
class Letters:
    """When letters were recorded and revoked, by excuse id: `recordedtime` as the log has it."""

    recorded: Mapping[str, str] = field(default_factory=dict)
    revoked: Mapping[str, str] = field(default_factory=dict)


def explain_year(
    person: Person, knowledge: Knowledge, year: int, known: Letters
) -> Iterator[Explained]:
    """Explain every day said of a year, in date order."""
    numbers: dict[str, int] = {}
    for day in sorted(person.days):
        if year_of(day) != year:
            continue
        said = person.days[day]
        number = None
        if said.status == "unexcused" and said.rules is not None:
            klass = class_of(said.employment)
            number = numbers[klass] = numbers.get(klass, 0) + 1
        yield _explain(person, knowledge, day, said, number, known)


def _explain(  # noqa: PLR0913, PLR0917  (one day, everything that bears on it)
    person: Person,
    knowledge: Knowledge,
    day: int,
    said: Day,
    number: int | None,
    known: Letters,
) -> Explained:
    found = asked(person, knowledge, day)
    regency = knowledge.regencies[said.regency]
    times: Sequence[int] = ()
    if found is not None:
        times, _ = check_ins_of(person, knowledge, day, found)
    plan = found.plan if found is not None else None
    windows = plan.windows if plan is not None else ()
    presence = plan.presence if plan is not None else ()
    rules = knowledge.rule_sets[said.rules] if said.rules is not None else None
    letters = [e for e in person.excuses if e.first <= day <= e.last]
    outage = None
    if found is not None and said.status == "held":
        outage = covering_outage(person, knowledge, found, day)
    return Explained(
        on=date_of(day).isoformat(),
        status=said.status,
        revision=said.revision,
        schedule_id=said.schedule_id,
        checkpoints=tuple(
            Checkpoint(
                w.name,
                _clock(regency, w.opens),
                _clock(regency, w.due),
                _clock(regency, w.closes),
                w.presence,
                tuple(_clock(regency, t) for t in times if w.opens <= t <= w.closes),
            )
            for w in windows
        ),
        strays=tuple(
            _clock(regency, t)
            for t in times
            if not any(w.opens <= t <= w.closes for w in presence)
        ),
        late_minutes=said.late,
        early_minutes=said.early,
        excuse_id=said.excuse_id,
        revoked={e.id: known.revoked.get(e.id, "-") for e in letters if e.revoked},
        outage_id=outage.id if outage is not None else None,
        window_from=None if said.window is None else date_of(said.window).isoformat(),
        window_left=_left(person, knowledge, said, window_of(rules)),
        rule_set=f"{rules.id}@{rules.version}" if rules is not None else None,
        marks=meet(plan, times).marks if plan is not None else 0,
        marks_needed=marks_of(rules),
        number=number,
        reached=tuple(t for t in person.thresholds if t.dates and t.dates[-1] == day),
        known={e.id: known.recorded[e.id] for e in letters if e.id in known.recorded},
        off_because=_why_off(person, found, day) if said.status == "off" else None,
        said_at=said.recorded,
    )


def _why_off(person: Person, found: Ask | None, day: int) -> str | None:
    """Say why nothing is asked on a date, as known now (semantics B3); a key of the texts."""
    line = person.line_on(day)
    if found is None or line is None or not is_active(line, day):
        return "inactive"
    if day in person.shifts and not person.shifts[day]:
        return "freed"
    if found.schedule_id is None:
        return "no_schedule"
    if found.plan is None or not found.plan.presence:
        return "no_checkpoint"
    return "holiday" if found.regency.calendar.is_holiday(day) else None


def _left(person: Person, knowledge: Knowledge, said: Day, needed: int) -> int:
    """Count the days that must still be closed before a pending day counts (semantics B13)."""
    if said.status != "pending" or said.window is None:
        return 0
    closed = sum(1 for _ in closed_since(person, knowledge, said.window))
    return max(0, needed - closed)


def _clock(regency: Regency, instant: int) -> str:
    """Give a local time; seconds only where they matter."""
    local = datetime.fromtimestamp(instant, regency.clock.zone)
    return local.strftime("%H:%M:%S" if local.second else "%H:%M")
