"""One day of a large regency: closed for everybody, and read anew after a late holiday decree."""

from typing import NamedTuple

from benchmarks import assessor
from benchmarks.facts import Story
from benchmarks.stage import Stage

BEFORE = 6  # Days closed before: Thursday to Tuesday, so that the next one is a workday.


class Crowd(NamedTuple):
    """Seconds from a record's acknowledgement until everything it touches is committed."""

    closing: float
    decree: float
    told: int  # Events of the decree.


def measure(stage: Stage, people: int) -> Crowd:
    """Close one workday for so many people, then decree it a holiday."""
    story = Story(people)
    with assessor.group(stage) as group:
        group.take(story.begin())
        group.take(story.days(BEFORE))
        workday = story.on
        group.take(story.check_ins())
        closing = group.take([story.closing()])
        decree = group.take([story.decree(workday)])
    if min(closing.told, decree.told) < people:
        raise RuntimeError(f"{closing.told} and {decree.told} events of {people} people")
    return Crowd(closing.seconds, decree.seconds, decree.told)
