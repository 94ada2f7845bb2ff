"""The port between the runner and a service: what a projection implements, and what it gets.

A projection is pure: it reads no clock, no database and no topic. The runner gives it states,
knowledge and records in log order, and stores the results.

State     what is kept of one subject (a person, a case). Mutable, owned by the runner: after any
          error it is thrown away and restored from rows, so a half-applied fold leaves no trace.
Knowledge the content of the broadcasts so far; one object per partition, because the order of
          broadcasts among a partition's own records is part of the log (design 2).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from sqlalchemy import Table

from shared.events.base import Fact, NewEvent
from shared.events.envelope import Envelope

State = TypeVar("State")
Knowledge = TypeVar("Knowledge")

Row = tuple[Any, ...]


class Rule(NamedTuple):
    """A row that a fold reads beside the log; it holds from `begins` on (None: always)."""

    text: str
    begins: date | None = None


@dataclass(frozen=True)
class Load:
    """A query that brings back what was kept of some subjects.

    `sql` takes `$1`, a text array of subjects; the first column of the result is the subject, the
    rest is handed to `restore` as it comes. `{schema}` in it becomes the table set's schema.
    """

    name: str
    sql: str


@dataclass
class Changes:
    """The rows of one table that a state has to write, each in the order of the table's columns.

    `inserts` are known to be new (written by COPY); `upserts` may exist already.
    """

    inserts: list[Row] = field(default_factory=list)
    upserts: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Everybody:
    """A broadcast touches every subject of the partition that `concerns` does not rule out."""


@dataclass(frozen=True)
class Only:
    """A broadcast touches these subjects, as far as the partition holds them."""

    subjects: frozenset[str]


Audience = Everybody | Only
NOBODY = Only(frozenset())


class Projection(Protocol[State, Knowledge]):
    """What a service implements for the runner. All of it is pure.

    `name`     `<service>.<what>`; the consumer group is `<name>@<version>`.
    `topics`   what it hears; the first is the one whose broadcasts it learns, if it hears any.
    `hears`    the kinds it declares; other kinds of the catalogue pass by.
    `tables`   SQLAlchemy Core tables without a schema; the primary key begins with `subject`
               (text, COLLATE "C"). The runner creates them once per table set.
    `loads`    the queries whose rows `restore` needs.
    `commands` True if others write the same subjects (HTTP commands, a sender): then states are
               read afresh for every batch; False lets the runner keep them while its claim holds.
    `reads`    the fields that the fold asks for, by kind; the rest of such a record's data is
               neither decoded nor judged. For kinds of which there are millions.
    `tells`    kinds among `hears` that commands tell on the service's own topic, which is none of
               `topics`. The subjects' rows have them at once; a rebuild folds them as given, where
               they stand among the derived events of the same subject.

    `says`     the kinds that its fold concludes: what a start after a loss compares with their
               topics (decision 0022).
    `fold_versions`  the versions of the fold that this code can do, each a switch in its
               knowledge. A FoldAdopted on the log says which one holds from there on.

    A projection with broadcasts has one topic only. `ProjectionBase` has defaults for the members
    that many projections do not need.
    """

    name: str
    service: str
    version: int
    topics: Sequence[str]
    hears: Sequence[type[Fact]]
    tables: Sequence[Table]
    loads: Sequence[Load]
    commands: bool
    reads: Mapping[type[Fact], frozenset[str]]
    tells: Sequence[type[Fact]]
    says: Sequence[type[Fact]]
    fold_versions: Sequence[int]

    @property
    def rules(self) -> Mapping[str, Rule]:
        """Give the rows that the fold reads beside the log, by their names.

        Dated rule rows, policy: who changes one raises the version, or is refused at the start. A
        row that begins after the day of the start may be added without. Errors: CannotRunError if
        they cannot be read.
        """

    def knowledge(self) -> Knowledge:
        """Give the knowledge before the first broadcast."""

    def learn(self, knowledge: Knowledge, broadcast: Envelope, /) -> None:
        """Add a broadcast to the knowledge.

        Errors: ContradictionError if it cannot be true beside what is known: the partition stops.
        """

    def knows_regency(self, knowledge: Knowledge, regency: str, /) -> bool:
        """Say whether a regency was ever registered; a keyed record of another is parked."""

    def audience(self, knowledge: Knowledge, broadcast: Envelope, /) -> Audience:
        """Say whose states a broadcast just learned may change."""

    def concerns(self, state: State, broadcast: Envelope, /) -> bool:
        """Say quickly whether folding this broadcast can change anything of this subject."""

    def restore(self, subject: str, rows: Mapping[str, Sequence[Row]], /) -> State:
        """Give the state of a subject from the rows of its loads; no rows: a new subject."""

    def reach(self, state: State, heard: Envelope, knowledge: Knowledge, /) -> Load | None:
        """Name what older rows must be read before this record can be folded; usually none.

        Asked where a fold raised OutOfReach. The runner runs it for this subject alone and hands
        the rows to `deepen`.
        """

    def deepen(self, state: State, load: Load, rows: Sequence[Row], /) -> None:
        """Take older rows into the state."""

    def fold(
        self, state: State, heard: Envelope, knowledge: Knowledge, last_seq: int, /
    ) -> Sequence[NewEvent]:
        """Apply one record, keyed or broadcast, and give the events that follow from it.

        The first event told gets `last_seq + 1`, and so on: ids can be cited before they are
        written. Errors: OutOfReach, before anything is changed, where `reach` names rows that are
        not read yet; ContradictionError for two facts that cannot both be true (the subject is
        parked, naming both); any other exception is a bug and parks the subject as well.
        """

    def changes(self, state: State, /) -> Iterable[tuple[str, Changes]]:
        """Drain what the state has to write since it was last asked, by table name."""


class ProjectionBase(Generic[State, Knowledge]):
    """Answers for a projection that hears no broadcasts and keeps its whole state loaded."""

    commands = False
    says: Sequence[type[Fact]] = ()
    fold_versions: Sequence[int] = (1,)
    loads: Sequence[Load] = ()
    reads: Mapping[type[Fact], frozenset[str]] = MappingProxyType({})
    tells: Sequence[type[Fact]] = ()

    @property
    def rules(self) -> Mapping[str, Rule]:
        return {}

    def knowledge(self) -> Any:
        return None

    def learn(self, knowledge: Any, broadcast: Envelope, /) -> None:
        raise NotImplementedError

    def knows_regency(self, knowledge: Any, regency: str, /) -> bool:
        return True

    def audience(self, knowledge: Any, broadcast: Envelope, /) -> Audience:
        return NOBODY

    def concerns(self, state: Any, broadcast: Envelope, /) -> bool:
        return True

    def reach(self, state: Any, heard: Envelope, knowledge: Any, /) -> Load | None:
        return None

    def deepen(self, state: Any, load: Load, rows: Sequence[Row], /) -> None:
        raise NotImplementedError
