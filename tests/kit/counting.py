"""A projection without a business: it counts what it hears of each subject."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Integer, MetaData, Table, Text

from shared.events.attendance import ExcuseRevoked
from shared.events.base import Fact, NewEvent
from shared.events.envelope import Envelope
from shared.runtime.projection import Changes, Load, ProjectionBase, Row

COUNTS = Table(
    "counts",
    MetaData(),
    Column("subject", Text(collation="C"), primary_key=True),
    Column("heard", Integer, nullable=False),
)
COUNTED = Load("counted", "SELECT subject, heard FROM {schema}.counts WHERE subject = ANY($1)")


@dataclass
class Count:
    """How often a subject was heard of."""

    subject: str
    heard: int = 0
    changed: bool = False


class Counting(ProjectionBase[Count, None]):
    """Counts revocations, on the topics of one test."""

    name = "tests.counting"
    service = "tests"
    version = 1
    hears: Sequence[type[Fact]] = (ExcuseRevoked,)
    tables: Sequence[Table] = (COUNTS,)
    loads: Sequence[Load] = (COUNTED,)

    def __init__(self, *topics: str) -> None:
        self.topics: Sequence[str] = topics

    def restore(self, subject: str, rows: Mapping[str, Sequence[Row]], /) -> Count:
        return Count(subject, sum(row[1] for row in rows.get(COUNTED.name, ())))

    def fold(
        self, state: Count, heard: Envelope, knowledge: None, last_seq: int, /
    ) -> Sequence[NewEvent]:
        del heard, knowledge, last_seq
        state.heard += 1
        state.changed = True
        return ()

    def changes(self, state: Count, /) -> Iterable[tuple[str, Changes]]:
        if state.changed:
            yield COUNTS.name, Changes(upserts=[(state.subject, state.heard)])
        state.changed = False
