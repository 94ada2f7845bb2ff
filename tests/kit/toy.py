"""A projection small enough to be checked by hand: it counts and adds up, and says each sum.

It hears check-ins (`place` is the amount), closings (100 more for everybody), calendar rows (10
more for those whom `name` lists) and regencies. A manual check-in asks for the person's whole
history, so that older rows must be read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

from shared.events import attendance
from shared.events.base import ContradictionError, Fact, NewEvent, OutOfReach
from shared.events.envelope import Envelope
from shared.events.structs import maker_of
from shared.runtime.projection import (
    Audience,
    Changes,
    Everybody,
    Load,
    Only,
    ProjectionBase,
    Row,
)

SUMS = "toy_sums"
TAKEN = "toy_taken"
_META = MetaData()
_TABLES = (
    Table(
        SUMS,
        _META,
        Column("subject", Text(collation="C"), primary_key=True),
        Column("count", Integer, nullable=False),
        Column("total", BigInteger, nullable=False),
        Column("closings", Integer, nullable=False),
    ),
    Table(
        TAKEN,
        _META,
        Column("subject", Text(collation="C"), primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("fact", Text, nullable=False),
        Column("amount", BigInteger, nullable=False),
    ),
)
_SUMS = "SELECT subject, count, total, closings FROM {schema}.toy_sums WHERE subject = ANY($1)"
_IDS = "SELECT subject, fact FROM {schema}.toy_taken WHERE subject = ANY($1)"
_AMOUNTS = "SELECT subject, number, amount FROM {schema}.toy_taken WHERE subject = ANY($1)"
HISTORY = Load("history", _AMOUNTS)


@dataclass
class Sum:
    """One person. `amounts` are whole only where `whole` says so."""

    subject: str
    count: int = 0
    total: int = 0
    closings: int = 0
    facts: set[str] = field(default_factory=set)
    amounts: dict[int, int] = field(default_factory=dict)
    whole: bool = True
    changed: bool = False
    new: list[Row] = field(default_factory=list)


@dataclass
class Known:
    """What the broadcasts said so far."""

    regencies: set[str] = field(default_factory=set)
    closings: int = 0


class Toy(ProjectionBase[Sum, Known]):
    """See the module. `factor` is what a changed fold would multiply by."""

    loads: Sequence[Load] = (Load("sums", _SUMS), Load("ids", _IDS))
    hears: Sequence[type[Fact]] = (
        attendance.CheckInRecorded,
        attendance.RegencyRegistered,
        attendance.WorkdayClosed,
        attendance.CalendarPublished,
    )

    def __init__(
        self, topic: str, name: str = "toy.sums", *, factor: int = 1, commands: bool = False
    ) -> None:
        self.name = name
        self.service = "attendance"
        self.version = 1
        self.topics: Sequence[str] = (topic,)
        self.tables: Sequence[Table] = _TABLES
        self.commands = commands
        self._factor = factor
        self._kind = said_on(topic)
        self.says = (self._kind,)
        self._made_of = topic, name, factor, commands

    def __reduce__(self) -> Any:
        """Sent to a process, it is made there once more."""
        topic, name, factor, commands = self._made_of
        return partial(type(self), factor=factor, commands=commands), (topic, name)

    def knowledge(self) -> Known:
        return Known()

    def knows_regency(self, knowledge: Known, regency: str, /) -> bool:
        return regency in knowledge.regencies

    def learn(self, knowledge: Known, broadcast: Envelope, /) -> None:
        if broadcast.type == attendance.RegencyRegistered.type_name():
            knowledge.regencies.add(broadcast.data.code)
        elif broadcast.type == attendance.WorkdayClosed.type_name():
            knowledge.closings += 1
        elif broadcast.data.name == "impossible":
            raise ContradictionError("two calendars that cannot both be true")

    def audience(self, knowledge: Known, broadcast: Envelope, /) -> Audience:
        if broadcast.type == attendance.WorkdayClosed.type_name():
            return Everybody()
        if broadcast.type == attendance.CalendarPublished.type_name():
            return Only(frozenset(broadcast.data.name.removeprefix("failing:").split(",")))
        return Only(frozenset())

    def concerns(self, state: Sum, broadcast: Envelope, /) -> bool:
        return state.count > 0

    def restore(self, subject: str, rows: Mapping[str, Sequence[Row]], /) -> Sum:
        state = Sum(subject)
        for _, state.count, state.total, state.closings in rows.get("sums", ()):
            state.whole = state.count == 0
        state.facts = {fact for _, fact in rows.get("ids", ())}
        return state

    def reach(self, state: Sum, heard: Envelope, knowledge: Known, /) -> Load | None:
        manual = getattr(heard.data, "via", None) == "manual"
        return HISTORY if manual and not state.whole else None

    def deepen(self, state: Sum, load: Load, rows: Sequence[Row], /) -> None:
        assert load is HISTORY
        state.amounts = {number: amount for _, number, amount in rows} | state.amounts
        state.whole = True

    def fold(
        self, state: Sum, heard: Envelope, knowledge: Known, last_seq: int, /
    ) -> Sequence[NewEvent]:
        if self.reach(state, heard, knowledge) is not None:
            raise OutOfReach
        if heard.type == attendance.WorkdayClosed.type_name():
            state.closings += 1
            return self.add(state, 100, heard.regency, heard.id, knowledge)
        if heard.type == attendance.CalendarPublished.type_name():
            if heard.data.name.startswith("failing:"):
                raise ValueError("a broadcast that cannot be applied")
            return self.add(state, 10, heard.regency, heard.id, knowledge)
        if heard.id in state.facts:
            return ()
        state.facts.add(heard.id)  # Before it may fail: a half-applied state must not survive.
        if heard.data.place == "contradiction":
            raise ContradictionError(f"{heard.id} cannot be true beside what was said")
        amount = int(heard.data.place) * self._factor
        state.count += 1
        state.amounts[state.count] = amount
        state.new.append((state.subject, state.count, heard.id, amount))
        squares = 0
        if heard.data.via == "manual":
            assert state.whole
            squares = sum(each * each for each in state.amounts.values())
        return self.add(state, amount, heard.regency, heard.id, knowledge, squares)

    def add(  # noqa: PLR0913, PLR0917  (what an event is made of)
        self,
        state: Sum,
        amount: int,
        regency: str,
        cause: str,
        knowledge: Known,
        squares: int = 0,
    ) -> Sequence[NewEvent]:
        """Add an amount and say the new sum; a command does the same."""
        state.total += amount
        state.changed = True
        data = maker_of(attendance.WorkdayAssessed)(
            employee_id=state.subject,
            on=date(2026, 1, 5),
            status="present",
            revision=state.count,
            late_minutes=state.total,
            early_minutes=squares,
            missed=(str(knowledge.closings),),
            excuse_id=None,
            check_ins=(cause,),
            window_from=None,
            employment="PNS",
            unit_id=None,
            schedule_id=None,
            rule_set=None,
        )
        return (NewEvent(self._kind, data, regency),)

    def changes(self, state: Sum, /) -> Iterable[tuple[str, Changes]]:
        inserts, state.new = state.new, []
        if state.changed:
            state.changed = False
            row = (state.subject, state.count, state.total, state.closings)
            yield SUMS, Changes(upserts=[row])
        if inserts:
            yield TAKEN, Changes(inserts=inserts)


def said_on(topic: str) -> Any:
    """Give the kind that a toy tells: a WorkdayAssessed, published beside the topic it hears."""
    return type("WorkdayAssessed", (attendance.WorkdayAssessed,), {"TOPIC": f"{topic}.events"})
