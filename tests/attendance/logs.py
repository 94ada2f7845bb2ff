"""Logs of random datasets, and what may come to a log without anything following from it."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from shared.events.envelope import Envelope
from tests.attendance.previews import log_of
from tests.oracle.datasets import SPICES, write_dataset


@cache
def log(
    seed: int, people: int, days: int, after: int = 0, *, without: str = "bad rows"
) -> tuple[Envelope, ...]:
    """Give the log of a random dataset, closed until `after` its end.

    Every hard thing is in it but bad rows, and what it is to be `without` (a spice).
    """
    with TemporaryDirectory() as folder:
        dataset = Path(folder) / "dataset"
        through = write_dataset(dataset, seed, people, days, SPICES - {"bad rows", without})
        return tuple(log_of(dataset, through + timedelta(days=after)))


def repeated(facts: Sequence[Envelope], dice: Random) -> list[Envelope]:
    """Give a log in which each fact stands once to three times, a copy at any later place."""
    places = [(float(at), fact) for at, fact in enumerate(facts)]
    places += [
        (at + dice.choice((0.5, dice.uniform(0, len(facts)))), fact)
        for at, fact in enumerate(facts)
        for _ in range(dice.choice((0, 1, 2)))
    ]
    return [fact for _, fact in sorted(places, key=itemgetter(0))]


def mixed(facts: Sequence[Envelope], dice: Random) -> list[Envelope]:
    """Shuffle people between broadcasts; each person's own facts keep their order."""
    shuffled: list[Envelope] = []
    for keyed, stretch in groupby(facts, lambda fact: fact.broadcastseq is None):
        some = list(stretch)
        if keyed:
            own = {subject: [f for f in some if f.subject == subject] for subject in names(some)}
            turns = [fact.subject for fact in some]
            dice.shuffle(turns)
            some = [own[subject].pop(0) for subject in turns]
        shuffled += some
    return shuffled


def names(facts: Iterable[Envelope]) -> set[str]:
    return {fact.subject for fact in facts}
