"""The plan of a dataset: its facts in the one order in which they became known (semantics A)."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from datetime import date
from operator import attrgetter

from services.attendance.backfill.broadcasts import Broadcasts, closings, pin_ids, within
from services.attendance.backfill.cuts import Cuts, last_known_date
from services.attendance.backfill.people import People
from services.attendance.backfill.plan_entries import Entry, Planned, Rank
from services.attendance.backfill.punch_facts import PunchFacts, Turn
from services.attendance.dataset.dataset import Dataset
from services.attendance.facts.closings import NOTHING_CLOSED, Closed
from shared.events.sealing import Sealer, person_kid, regency_kid
from shared.kernel.local_time import DAY

_order = attrgetter("at", "rank", "file", "line", "code")


def plan(
    dataset: Dataset,
    through: date | None,
    sealer: Sealer,
    closed: Mapping[str, Closed] = NOTHING_CLOSED,
) -> Iterator[Planned]:
    """Give the facts of a dataset, broadcasts and keyed ones, in the order they became known.

    Each regency's last one is its closing of `through` (A2); without it, of the last date on which
    anything becomes known. The plan through a date is, for every subject, the beginning of the
    plan through a later one. Facts of people whose key is forgotten are left out. `closed`: what
    is closed already, by regency; closings go on behind it (A1).
    """
    last = last_known_date(dataset) if through is None else through
    cuts = Cuts(dataset, last)
    broadcasts = Broadcasts(dataset, sealer)
    for entry in broadcasts.founding:
        yield entry.make()
    people = People(dataset, cuts, sealer)
    entries = [*within(broadcasts.timed, cuts), *people.entries()]
    entries += closings(dataset, last, closed)
    ids = pin_ids(dataset)
    punches = []
    for heard in dataset.punches:
        cut = cuts.regency(dataset.devices[heard.log.serial].regency)
        facts = PunchFacts(dataset, heard, cut, people.cut_of, ids)
        punches.append(facts)
        entries.extend(facts.explained())
    entries.sort(key=_order)
    yield from _merged(entries, punches)


def that_may_contradict(dataset: Dataset, through: date, sealer: Sealer) -> Iterator[Entry]:
    """Give the entries whose facts are refused if their ids are known with other content.

    Broadcasts, closings apart: one says nothing but its date. Letters, whose ids people give.
    """
    cuts = Cuts(dataset, through)
    broadcasts = Broadcasts(dataset, sealer)
    yield from broadcasts.founding
    yield from within(broadcasts.timed, cuts)
    entries = People(dataset, cuts, sealer).entries()
    yield from (entry for entry in entries if entry.rank == Rank.EXCUSES)


def kids_of(dataset: Dataset) -> set[str]:
    """Name the keys that sealing the plan needs: of every person, of regencies with free text."""
    kids = {person_kid(employee_id) for employee_id in dataset.histories}
    return kids | {regency_kid(outage.regency) for outage in dataset.outages if outage.reason}


def _merged(entries: list[Entry], punches: list[PunchFacts]) -> Iterator[Planned]:
    """Merge day by day, so that only one day's punches are objects at a time."""
    after = 0
    while True:
        nexts = [at for at in (facts.next_at() for facts in punches) if at is not None]
        if after < len(entries):
            nexts.append(entries[after].at)
        if not nexts:
            return
        end = (min(nexts) // DAY + 1) * DAY
        before, after = after, bisect_left(entries, end, after, key=attrgetter("at"))
        yield from _day(entries[before:after], punches, end)


def _day(entries: list[Entry], punches: list[PunchFacts], end: int) -> Iterator[Planned]:
    # No two are equal in the five that decide (A10): a comparison never gets beyond them.
    batch: list[Entry | Turn] = [*entries]
    for facts in punches:
        batch.extend(facts.take(end))
    batch.sort()
    for turn in batch:
        yield turn.facts.make(turn.punch) if isinstance(turn, Turn) else turn.make()
