"""Goes through the log fact by fact and says, after each, what has changed (A18)."""

from dataclasses import dataclass, field
from datetime import date

from tests.oracle.facts import Fact, facts_of
from tests.oracle.knowledge import Day, Person, World
from tests.oracle.ledger import Threshold, newly_reached, stands
from tests.oracle.lookups import View
from tests.oracle.model import CheckIn, Closing
from tests.oracle.proposals import Cases
from tests.oracle.reading import Dataset
from tests.oracle.workday import assess


@dataclass
class Subject:
    """One person with all that was said of him."""

    person: Person
    regencies: set[str]
    view: View
    thresholds: list[Threshold] = field(default_factory=list)
    cases: Cases = field(default_factory=Cases)


def run(dataset: Dataset, through: date) -> dict[str, Subject]:
    """Give everybody, by employee id, after the last fact."""
    world = World(dataset.regencies, dataset.units)
    subjects: dict[str, Subject] = {}
    for one in dataset.tables["employees.csv"]:
        person = Person(one.content.employee)
        subject = Subject(person, set(), View(world, person))
        subjects.setdefault(person.name, subject).regencies.add(one.content.regency)
    for fact in facts_of(dataset, through):
        world.hear(fact)
        if fact.employee:
            touched = [subjects[fact.employee]]
            touched[0].person.hear(fact)
        elif isinstance(fact.content, Closing):
            touched = [one for one in subjects.values() if fact.regency in one.regencies]
        else:
            touched = list(subjects.values())
        for subject in touched:
            if not isinstance(fact.content, CheckIn | Closing):
                subject.view = View(world, subject.person)
            if subject.person.lines and may_matter(subject, fact):
                step(subject, fact)
    return subjects


def may_matter(subject: Subject, fact: Fact) -> bool:
    """Say no for a check-in of a day that was never said: it changes nothing that was."""
    if not isinstance(fact.content, CheckIn):
        return True
    return subject.view.day_of(fact.content) in subject.person.days


def step(subject: Subject, fact: Fact) -> None:
    """Look at every day anew, then at the thresholds, and note what differs from before."""
    if not review_days(subject, fact):
        return
    days = list(subject.person.days.values())
    for threshold in reversed(subject.thresholds):
        if threshold.active and not stands(threshold, days):
            threshold.active = False
            subject.cases.retracted(threshold)
    standing = [one for one in subject.thresholds if one.active]
    for threshold in newly_reached(days, standing):
        subject.thresholds.append(threshold)
        subject.cases.reached(threshold)


def review_days(subject: Subject, fact: Fact) -> bool:
    """Assess all days anew; a day of which something changed gets a new revision (B14, B15)."""
    view, days = subject.view, subject.person.days
    changed = False
    for day in sorted(days.keys() | days_to_say(view)):
        line = view.line(day)
        if line is None:
            msg = f"{subject.person.name} has no line on {day}"
            raise LookupError(msg)
        entry = days.get(day)
        basis = (line.regency, line.employment)
        if entry is None:
            entry = days[day] = Day(day, *basis, view.rule_set(day))
        elif (entry.regency, entry.employment) != basis:
            entry.regency, entry.employment = basis
            entry.rule_set = view.rule_set(day)
            changed = True
        said, covered = entry.said, entry.covered
        entry.said = assess(view, entry, heard_on(view, day, fact))
        if entry.said != said:
            entry.revision += 1
        changed |= entry.said != said or entry.covered != covered
    return changed


def days_to_say(view: View) -> set[date]:
    """Give the dates that are closed for the person and required."""
    dates = {day for closed in view.world.closed.values() for day in closed}
    return {day for day in dates if view.closed(day) and view.required(day)}


def heard_on(view: View, day: date, fact: Fact) -> date:
    """Give the date on which a window begins that this fact opens (B13)."""
    if isinstance(fact.content, Closing) and fact.content.day == day:
        return day
    return view.world.local_date(fact.known, view.regency(day))
