"""The assessor as a projection: its tables, how a person is restored from them, what is written."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import msgspec
from sqlalchemy import BigInteger, Column, Date, Integer, LargeBinary, MetaData, Table, Text

from services.attendance.domain.assessor import fold
from services.attendance.domain.facts import KEPT, take_fact
from services.attendance.domain.knowledge import Knowledge, Untrue, learn
from services.attendance.domain.person import Day, Person, Said
from services.attendance.domain.rules import class_of
from services.attendance.domain.zones import date_of
from shared.events import attendance as words
from shared.events.base import Fact
from shared.events.envelope import Envelope, canonical
from shared.events.structs import struct_of
from shared.runtime.projection import (
    NOBODY,
    Audience,
    Changes,
    Contradiction,
    Everybody,
    Load,
    Only,
    Row,
    Told,
)

TABLES = MetaData()

FACTS = Table(
    "facts",
    TABLES,
    Column("subject", Text(collation="C"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("fact_id", Text, nullable=False),
    Column("data", LargeBinary, nullable=False, comment="canonical JSON; personal values sealed"),
)
WORKDAYS = Table(
    "workdays",
    TABLES,
    Column("subject", Text(collation="C"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("punches", LargeBinary, comment="{id: instant} heard on this date at UTC+8"),
    Column("check_ins", LargeBinary, comment="ids attributed; null: those of `punches`"),
    Column("status", Text, comment="null: nothing was said of the day yet"),
    Column("late_minutes", Integer),
    Column("early_minutes", Integer),
    Column("missed", Text),
    Column("excuse_id", Text),
    Column("revision", Integer),
    Column("window_from", Date),
    Column("employment", Text),
    Column("regency", Text),
    Column("unit_id", Text),
    Column("schedule_id", Text),
    Column("rules", Text),
    Column("converts", Integer),
    Column("seq", BigInteger),
)
THRESHOLDS = Table(
    "thresholds",
    TABLES,
    Column("subject", Text(collation="C"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, comment="subjectseq of the event that said it"),
    Column("measure", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("employment_class", Text, nullable=False),
    Column("threshold_days", Integer, nullable=False),
    Column("days", Integer, nullable=False),
    Column("dates", Text, nullable=False),
    Column("regency", Text, nullable=False),
    Column("last_on", Date),
    Column("state", Text, nullable=False),
)

_LOADS = (
    Load(
        "facts",
        "SELECT subject, kind, fact_id, data FROM {schema}.facts"
        " WHERE subject = ANY($1) ORDER BY subject, ordinal",
    ),
    Load(
        "workdays",
        "SELECT * FROM {schema}.workdays WHERE subject = ANY($1) ORDER BY subject, day",
    ),
    Load(
        "thresholds",
        "SELECT * FROM {schema}.thresholds WHERE subject = ANY($1) ORDER BY subject, seq",
    ),
)
_KINDS = {kind.__name__: kind for kind in vars(words).values() if isinstance(kind, type)}
_DECODERS = {name: msgspec.json.Decoder(struct_of(_KINDS[name])) for name in KEPT}
_ENCODE = msgspec.json.Encoder().encode  # Not sorted: punches keep the order in which they came.
_PUNCHES = msgspec.json.Decoder(dict[str, int])
_IDS = msgspec.json.Decoder(list[str])
_TO_ALL = {"WorkdayClosed", "CalendarPublished", "SchedulePublished", "OutageDeclared"}


class Assessor:
    """Folds the facts of `attendance.facts.v1` into workdays and thresholds, a person a subject."""

    name = "attendance.assessor"
    service = "attendance"
    version = 1
    topics: Sequence[str] = (words.FACTS,)
    hears: Sequence[type[Fact]] = (
        words.CheckInRecorded,
        words.EmployeeRegistered,
        words.ExcuseRecorded,
        words.ExcuseRevoked,
        words.ShiftAssigned,
        words.PersonForgotten,
        words.RegencyRegistered,
        words.UnitRegistered,
        words.DeviceRegistered,
        words.PinAssigned,
        words.SchedulePublished,
        words.CalendarPublished,
        words.OutageDeclared,
        words.RuleSetPublished,
        words.WorkdayClosed,
    )
    tables: Sequence[Table] = (FACTS, WORKDAYS, THRESHOLDS)
    loads: Sequence[Load] = _LOADS
    commands = False

    def subject_of(self, heard: Envelope) -> str:
        return heard.subject

    def knowledge(self) -> Knowledge:
        return Knowledge()

    def knows_regency(self, knowledge: Knowledge, code: str) -> bool:
        """Say whether a regency was ever registered: nobody judges in an unknown tenant's name."""
        return code in knowledge.regencies

    def learn(self, knowledge: Knowledge, broadcast: Envelope) -> None:
        try:
            learn(knowledge, kind_of(broadcast), broadcast.subject, broadcast.data)
        except Untrue as error:
            raise Contradiction(str(error)) from error

    def audience(self, knowledge: Knowledge, broadcast: Envelope) -> Audience:
        kind = kind_of(broadcast)
        if kind in _TO_ALL:
            return Everybody()
        if kind == "PinAssigned":
            return Only(knowledge.pins.holders(broadcast.data.serial, broadcast.data.pin))
        return NOBODY

    def concerns(self, state: Person, broadcast: Envelope) -> bool:
        kind = kind_of(broadcast)
        if kind in ("WorkdayClosed", "CalendarPublished"):
            return state.regency_on(broadcast.data.on.toordinal()) == broadcast.subject
        if kind == "PinAssigned":
            return True
        return any(line.regency == broadcast.subject for line in state.lines)

    def restore(self, subject: str, rows: Mapping[str, Sequence[Row]]) -> Person:
        person = Person(subject)
        for _, kind, fact_id, data in rows.get("facts", ()):
            take_fact(person, kind, fact_id, _DECODERS[kind].decode(data))
        for row in rows.get("workdays", ()):
            _restore_day(person, row)
        _restore_attribution(person)
        for row in rows.get("thresholds", ()):
            person.thresholds.append(_said(row))
        person.stored_thresholds = {said.seq for said in person.thresholds}
        return person

    def reach(self, state: Person, heard: Envelope, knowledge: Knowledge) -> Load | None:
        return None

    def deepen(self, state: Person, load: Load, rows: Sequence[Row]) -> None:
        raise NotImplementedError

    def fold(
        self, state: Person, heard: Envelope, knowledge: Knowledge, last_seq: int
    ) -> Sequence[Told]:
        try:
            return fold(state, knowledge, heard, kind_of(heard), last_seq)
        except Untrue as error:
            raise Contradiction(str(error)) from error

    def changes(self, state: Person) -> Iterable[tuple[str, Changes]]:
        if state.new_facts:
            rows = [(state.id, n, kind, i, canonical(d)) for n, kind, i, d in state.new_facts]
            state.new_facts.clear()
            yield FACTS.name, Changes(inserts=rows)
        if state.dirty_days:
            days = Changes()
            for day in sorted(state.dirty_days):
                (days.upserts if day in state.stored_days else days.inserts).append(
                    _day_row(state, day)
                )
            state.stored_days |= state.dirty_days
            state.dirty_days.clear()
            yield WORKDAYS.name, days
        if state.dirty_thresholds:
            said = Changes()
            for threshold in state.thresholds:
                if threshold.seq in state.dirty_thresholds:
                    new = threshold.seq not in state.stored_thresholds
                    (said.inserts if new else said.upserts).append(_said_row(state, threshold))
            state.stored_thresholds |= state.dirty_thresholds
            state.dirty_thresholds.clear()
            yield THRESHOLDS.name, said


def kind_of(heard: Envelope) -> str:
    """Name the kind of an envelope: its struct has the model's name."""
    return type(heard.data).__name__


def _day_row(person: Person, day: int) -> Row:
    heard = person.punches.get(day, {})
    punches = _ENCODE(heard) if heard else None
    said = person.days.get(day)
    if said is None:
        return (person.id, date_of(day), punches, None, *(None,) * 14)
    same = said.check_ins == tuple(heard)
    return (
        person.id,
        date_of(day),
        punches,
        None if same else canonical(said.check_ins),
        said.status,
        said.late,
        said.early,
        ";".join(said.missed),
        said.excuse_id,
        said.revision,
        None if said.window is None else date_of(said.window),
        said.employment,
        said.regency,
        said.unit_id,
        said.schedule_id,
        said.rules,
        said.converts,
        said.seq,
    )


def _restore_day(person: Person, row: Row) -> None:
    (
        _, on, punches, check_ins, status, late, early, missed, excuse_id, revision, window,
        employment, regency, unit_id, schedule_id, rules, converts, seq,
    ) = row  # fmt: skip
    day = on.toordinal()
    person.stored_days.add(day)
    heard = _PUNCHES.decode(punches) if punches is not None else {}
    if heard:
        person.punches[day] = heard
    if status is None:
        return
    ids = list(heard) if check_ins is None else _IDS.decode(check_ins)
    person.days[day] = Day(
        status, late, early, tuple(missed.split(";")) if missed else (), excuse_id, tuple(ids),
        revision, None if window is None else window.toordinal(), employment, regency, unit_id,
        schedule_id, rules, converts, seq,
    )  # fmt: skip
    if status == "pending":
        person.pending.add(day)
    person.history.put(day, status, rules, class_of(employment), converts, seq)


def _restore_attribution(person: Person) -> None:
    """Give said days their check-ins back; what is in none of them is settled at the next fact."""
    instants = {i: t for heard in person.punches.values() for i, t in heard.items()}
    for day, said in person.days.items():
        if said.check_ins:
            person.attributed[day] = [(instants.pop(i), i) for i in said.check_ins]
    person.loose = sorted((t, i) for i, t in instants.items())


def _said_row(person: Person, said: Said) -> Row:
    return (
        person.id,
        said.seq,
        said.measure,
        said.year,
        said.klass,
        said.threshold_days,
        said.days,
        ";".join(date_of(d).isoformat() for d in said.dates),
        said.regency,
        date_of(said.dates[-1]) if said.dates else None,
        "active" if said.active else "retracted",
    )


def _said(row: Row) -> Said:
    _, seq, measure, year, klass, threshold_days, days, dates, regency, _, state = row
    on = tuple(date.fromisoformat(d).toordinal() for d in dates.split(";") if d)
    return Said(seq, measure, year, klass, threshold_days, days, on, regency, state == "active")
