"""`python -m benchmarks`: every question in one run on one broker, and the table of answers."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import (
    assessor,
    bare,
    crowd,
    delivery,
    growth,
    naive,
    previewing,
    quix,
    rebuilding,
    relaying,
)
from benchmarks.facts import log_of
from benchmarks.stage import Stage
from benchmarks.table import Table, conditions, thousands
from shared.events.attendance import EVENTS
from shared.local.stack import LocalStack

RESULTS = Path(__file__).with_name("results.md")


@dataclass(frozen=True)
class Sizes:
    """How much is measured. The rounds of bare, assessor and Quix take turns: noise hits all."""

    people: int = 2_000
    days: int = 60
    rounds: int = 5
    quix_days: int = 10
    naive_seconds: float = 8.0
    year: int = 1_000  # With 300, a month is over within a third of a second: too little.
    rebuilders: tuple[int, ...] = (1, 2)
    growth: tuple[int, ...] = (10_000, 100_000)
    crowd: int = 8_000
    notices: tuple[int, int] = (500, 30)
    preview: tuple[int, int] = (300, 120)

    def said(self) -> str:
        """Say the sizes."""
        return (
            f"the log: {self.people:,} people, {self.days} days, two check-ins a workday, every"
            f" date closed; rounds: {self.rounds}, medians of the ratios of each round"
        )


QUICK = Sizes(
    people=500,
    days=30,
    rounds=1,
    quix_days=5,
    naive_seconds=3.0,
    year=60,
    rebuilders=(1,),
    growth=(10_000,),
    crowd=2_000,
    notices=(60, 5),
    preview=(60, 60),
)
FULL = Sizes(growth=(10_000, 100_000, 1_000_000))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: a minute")
    parser.add_argument("--full", action="store_true", help="a million facts as well")
    parser.add_argument(
        "--profile", default="", help="profile one run of the assessor into a file"
    )
    options = parser.parse_args()
    sizes = QUICK if options.quick else FULL if options.full else Sizes()
    with LocalStack.scoped() as stack:
        stage = Stage(stack)
        if options.profile:
            with assessor.group(stage, profile=options.profile) as group:
                print(group.take(log_of(sizes.people, sizes.days)))  # noqa: T201
            return
        table = Table(conditions(stage, [sizes.said()]))
        peers(stage, sizes, table)
        cost(stage, sizes, table)
    patience(sizes, table)
    page = table.markdown()
    print(f"\n{page}")  # noqa: T201
    if not options.quick:
        RESULTS.write_text(page)


def peers(stage: Stage, sizes: Sizes, table: Table) -> None:
    """Measure the same job in every form, by turns."""
    bares: list[bare.Bare] = []
    runs: list[assessor.Run] = []
    quixes: list[float] = []
    stage.topic(EVENTS)
    for left in reversed(range(sizes.rounds)):
        with assessor.group(stage) as group:
            stage.write(group.log, log_of(sizes.people, sizes.days))
            bares.append(bare.measure(stage, group.log))
            runs.append(group.go())
        if left:  # Nobody shall vacuum the tables of one round in the next.
            stage.drop_topic(group.log)
            stage.drop_database(group.database)
        quixes.append(quix.measure(stage, sizes.people, sizes.quix_days))
    ratios = [run.rate / one.rate for run, one in zip(runs, bares, strict=True)]
    work = [run.by_processor / one.by_processor for run, one in zip(runs, bares, strict=True)]
    share = group.log.check_ins / group.log.records
    times = [run.rate * share / rate for run, rate in zip(runs, quixes, strict=True)]
    one, whole = median(each.rate for each in bares), median(run.rate for run in runs)
    alone = median(each.by_processor for each in bares)
    busy = median(run.by_processor for run in runs)
    table.add(
        "bare aiokafka `getmany`",
        f"{thousands(one)} records/s ({thousands(alone)} a processor second)",
        "1",
    )
    table.add(
        "the assessor: Kafka to states, tables, events",
        f"{thousands(whole)} records/s ({thousands(busy)} a processor second)",
        f"{median(ratios):.2f}; a processor second: {median(work):.2f}",
        "≥ 0.25",
    )
    table.add(
        "the same as a Quix Streams application",
        f"{thousands(median(quixes))} check-ins/s with their closings",
        f"the assessor is {median(times):.1f} x as fast",
        "≥ 1.5 x",
    )
    slow = naive.measure(stage, sizes.naive_seconds)
    times_naive = f"the assessor is {whole * share / slow:,.0f} x as fast"
    table.add(
        "a naive FastStream handler", f"{thousands(slow)} check-ins/s", times_naive, "≥ 50 x"
    )
    events = relaying.measure(stage, group.log, group.database)
    last = runs[-1]
    told = last.told / last.seconds
    table.add(
        "the relay",
        f"{thousands(events)} events/s",
        f"{events / one:.2f}; {events / told:.1f} x what the assessor tells",
        "≥ 1 x",
    )
    for workers in sizes.rebuilders:
        anew = rebuilding.measure(stage, group.log, group.database, workers)
        table.add(
            f"a rebuild by {workers} process{'es' * (workers > 1)}, compared and switched",
            f"{thousands(anew)} records/s",
            f"{anew / one:.2f}; {anew / last.rate:.1f} x the live path",
            "≥ 1 x",
        )


def cost(stage: Stage, sizes: Sizes, table: Table) -> None:
    """Measure how cost grows, and what people wait for."""
    year = growth.year(stage, sizes.year)
    table.add(
        f"month 12 against month 1, {sizes.year:,} people",
        f"{thousands(year.rates[0])} and {thousands(year.rates[-1])} records/s",
        f"{year.last_to_first(year.rates):.2f}; a processor second:"
        f" {year.last_to_first(year.by_processor):.2f}, quarter 4 to 1:"
        f" {year.quarters(year.by_processor):.2f}",
        "≥ 0.9",
    )
    for facts in sizes.growth:
        for workers in (1, 2):
            grown = growth.size(stage, facts, workers)
            table.add(
                f"{facts:,} facts, {workers} worker{'s' * (workers > 1)}",
                f"{thousands(grown.run.rate)} records/s, {grown.run.seconds:.1f} s",
                f"{grown.run.peak:.0f} MB of memory each, {grown.topic:.0f} MB of topic,"
                f" {grown.database:.0f} MB of database; {grown.run.refused} steps done again",
            )
    many = crowd.measure(stage, sizes.crowd)
    table.add(f"closing a day for {sizes.crowd:,} people", f"{many.closing:.2f} s", "", "< 2 s")
    table.add(f"a late decree for {sizes.crowd:,} people", f"{many.decree:.2f} s", "", "< 10 s")


def patience(sizes: Sizes, table: Table) -> None:
    """Measure what people wait for: on a stack of its own, or without any."""
    people, late = sizes.notices
    told = delivery.measure(people, late)
    table.add(
        "a late check-in, until the person is told that a threshold fell",
        f"{told.median:.2f} s, the slowest of {late} {told.slowest:.2f} s",
        "",
        "< 1 s",
    )
    table.add(
        f"{people:,} people over a threshold by one closing, until all are told",
        f"{told.crowd:.1f} s",
    )
    people, days = sizes.preview
    seconds = previewing.measure(people, days)
    table.add(f"preview of {people} people, {days} days", f"{seconds:.1f} s", "", "< 15 s")


if __name__ == "__main__":
    main()
