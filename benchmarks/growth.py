"""How cost grows: with the facts, with the workers, and over a year."""

from dataclasses import dataclass
from statistics import median

from benchmarks import assessor
from benchmarks.facts import Story
from benchmarks.stage import Stage

DAYS = 28  # Twenty workdays: forty facts a person.
FACTS_A_PERSON = 40
MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class Grown:
    """One size: what it took. Units: megabytes of one worker, of the topic, of the database."""

    facts: int
    workers: int
    run: assessor.Run
    topic: float
    database: float


def size(stage: Stage, facts: int, workers: int) -> Grown:
    """Fold so many facts of four weeks; more facts are more people."""
    with assessor.group(stage, workers) as group:
        story = Story(facts // FACTS_A_PERSON)
        group.take(story.begin())
        run = group.take(story.days(DAYS))
        topic, database = stage.disk(group.log, group.database)
        check_ins = group.log.check_ins
    stage.drop_topic(group.log)
    stage.drop_database(group.database)
    return Grown(check_ins, workers, run, topic, database)


@dataclass(frozen=True)
class Year:
    """The rates of twelve months, in records a second, and per processor second."""

    rates: list[float]
    by_processor: list[float]

    @staticmethod
    def last_to_first(months: list[float]) -> float:
        """Give month 12 in terms of month 1."""
        return months[-1] / months[0]

    @staticmethod
    def quarters(months: list[float]) -> float:
        """Give the median of the last quarter in terms of the first's: steadier than a month."""
        return median(months[-3:]) / median(months[:3])


def year(stage: Stage, people: int) -> Year:
    """Fold a year, a month at a time, in one worker that is never restarted."""
    story = Story(people)
    runs = []
    with assessor.group(stage) as group:
        group.take(story.begin())
        group.take(story.days(1))  # New Year's Day: code and statements are warm after it.
        runs = [group.take(story.days(days - (n == 0))) for n, days in enumerate(MONTHS)]
    return Year([run.rate for run in runs], [run.by_processor for run in runs])
