"""What changes in people's papers: moves, new classes, arrivals and departures, PINs."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from tools.simulate.people import Line, Person, Posting, Town

DAY = timedelta(1)
LONG_ENOUGH = 40  # Days of a simulation in which things have time to change.
FREE_PINS = 901  # Machines number their own people from 1.


def _on(begins: date, days: int) -> date:
    return begins + days * DAY


def _at(on: date, clock: str) -> str:
    return f"{on.isoformat()} {clock}"  # A blank for the T: both are written.


def moves_to_another_unit(person: Person, towns: Sequence[Town], begins: date) -> None:
    """Move within the regency; the paper is recorded a few days after."""
    town = next(t for t in towns if person.unit in t.units)
    others = [unit for unit in town.units if unit.style == person.style and unit != person.unit]
    if others:
        _move(person, Line(others[0], person.lines[0].employment, _on(begins, 20), None, ""), 3)


def moves_to_another_regency(person: Person, towns: Sequence[Town], begins: date) -> None:
    """Move to another zone, recorded before."""
    far = [t for t in towns if t.spec.timezone != person.unit.spec.timezone]
    if far:
        unit = far[0].units[0]
        line = Line(unit, person.lines[0].employment, _on(begins, 28), None, "")
        person.later = line.active_from, unit.style
        _move(person, line, -5)


def _move(person: Person, line: Line, recorded_after: int) -> None:
    recorded_at = _at(line.active_from + recorded_after * DAY, "08:20")
    person.lines.append(line._replace(recorded_at=recorded_at))
    person.postings[-1] = person.postings[-1]._replace(ends=line.active_from - DAY)
    pin = str(FREE_PINS + sum(map(ord, person.employee_id)) % 90)
    person.postings.append(Posting(line.unit.serial, pin, line.active_from, None))


def becomes_permanent(person: Person, towns: Sequence[Town], begins: date) -> None:
    """Change the class: CPNS to PNS keeps its count, contract staff to PPPK begin at zero."""
    del towns
    first = person.lines[0]
    later = {"CPNS": "PNS", "PTT": "PPPK"}.get(first.employment)
    if later:
        since = _on(begins, 32)
        line = first._replace(
            employment=later, active_from=since, recorded_at=_at(since, "09:00:00")
        )
        person.lines.append(line)


def keeps_other_hours(person: Person, towns: Sequence[Town], begins: date) -> None:
    """Get a schedule of one's own: the school's six days, for somebody of the office."""
    town = next(t for t in towns if person.unit in t.units)
    if town.spec.extra == "sekolah":
        since = _on(begins, 24)
        recorded_at = _at(since - DAY, "10:00:00")
        line = person.lines[0]._replace(
            active_from=since, schedule_id="sekolah", recorded_at=recorded_at
        )
        person.lines.append(line)
        person.later = since, "sekolah"


def arrives_and_is_registered_late(person: Person, towns: Sequence[Town], begins: date) -> None:
    """Begin in the middle; the line is recorded days later, the PIN later still."""
    del towns
    since = _on(begins, 12)
    person.lines[0] = person.lines[0]._replace(
        active_from=since, recorded_at=_at(since + 4 * DAY, "13:30:00")
    )
    person.postings[0] = person.postings[0]._replace(
        begins=since, recorded_at=_at(since + 6 * DAY, "08:00:00")
    )


def leaves(person: Person, towns: Sequence[Town], begins: date) -> None:
    """Leave in the middle; the PIN goes to somebody else of the unit from the next day on."""
    last = _on(begins, 30)
    person.lines.append(
        person.lines[0]._replace(active_to=last, recorded_at=_at(last, "15:00:00"))
    )
    pin = person.postings[0]
    person.postings[0] = pin._replace(ends=last)
    heirs = [p for town in towns for p in town.people if p.unit == person.unit and p != person]
    if heirs:
        heirs[-1].postings.append(pin._replace(begins=last + DAY, ends=None))


CHANGES: tuple[Callable[[Person, Sequence[Town], date], None], ...] = (
    keeps_other_hours,  # First, because the first regency has the school.
    arrives_and_is_registered_late,
    leaves,
    moves_to_another_unit,
    moves_to_another_regency,
)


def change_papers(towns: Sequence[Town], busy: set[str], begins: date, days: int) -> None:
    """Let things change for people without a story, once each and again for every 500."""
    if days < LONG_ENOUGH:
        return
    everybody = [p for town in towns for p in town.people]
    for person in everybody:
        if person.lines[0].employment in ("CPNS", "PTT") and person.roster == 0:
            becomes_permanent(person, towns, begins)
    free = [
        p
        for p in everybody
        if p.lines[0].employment == "PNS"
        and p.style == "kantor"
        and p.employee_id not in busy
        and p.unit.head != p.employee_id
    ]
    rounds = 1 + len(everybody) // 500
    step = max(1, len(free) // (len(CHANGES) * rounds))
    for place, person in enumerate(free[::step][: len(CHANGES) * rounds]):
        CHANGES[place % len(CHANGES)](person, towns, begins)
