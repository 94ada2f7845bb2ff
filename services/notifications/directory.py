"""The directory as a projection: names and addresses of people, and the heads of units.

Personal values stay ciphertext here; the sender decrypts them when sending. Of a forgotten person
only the id is kept.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Boolean, Column, MetaData, Table, Text

from shared.events import attendance
from shared.events.attendance import (
    EmployeeRegistered,
    PersonForgotten,
    RegencyRegistered,
    UnitRegistered,
)
from shared.events.base import Fact, NewEvent
from shared.events.envelope import Envelope
from shared.runtime.projection import (
    NOBODY,
    Audience,
    Changes,
    Everybody,
    Load,
    ProjectionBase,
    Row,
)

# Datasets name a channel in the words of their office; ours are those of the wire.
ALIASES = {"email": "mail", "e-mail": "mail", "smtp": "mail", "wa": "whatsapp"}

METADATA = MetaData()
PERSONS = Table(
    "persons",
    METADATA,
    Column("subject", Text(collation="C"), primary_key=True),
    Column("name", Text, comment="JSON: {kid, ct}"),
    Column("contacts", Text, nullable=False, comment="JSON: channel → {kid, ct}"),
    Column("regency", Text, nullable=False),
    Column("timezone", Text, comment="of the regency; null: not registered yet"),
    Column("forgotten", Boolean, nullable=False),
)
HEADS = Table(
    "heads",
    METADATA,
    Column("subject", Text(collation="C"), primary_key=True, comment="a person of the unit"),
    Column("unit_id", Text, primary_key=True),
    Column("head_id", Text, comment="null: the unit has none, or is not registered"),
)
PERSON = Load(
    "person",
    "SELECT subject, name, contacts, regency, timezone, forgotten"
    " FROM {schema}.persons WHERE subject = ANY($1)",
)
UNITS = Load(
    "units",
    "SELECT subject, unit_id, head_id FROM {schema}.heads WHERE subject = ANY($1)",
)


@dataclass
class Known:
    """What the broadcasts contained: the heads of units, and the time zones of regencies."""

    heads: dict[str, str | None] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)


@dataclass
class Person:
    """One entry. `heads` is by each unit that the person was ever in."""

    subject: str
    name: str | None = None
    contacts: str = "{}"
    regency: str = ""
    timezone: str | None = None
    forgotten: bool = False
    heads: dict[str, str | None] = field(default_factory=dict)
    changed: bool = False
    changed_units: set[str] = field(default_factory=set)


class Directory(ProjectionBase[Person, Known]):
    """Consumes attendance's facts; publishes nothing."""

    name = "notifications.directory"
    service = "notifications"
    version = 1
    topics: Sequence[str] = (attendance.FACTS,)
    hears: Sequence[type[Fact]] = (
        EmployeeRegistered,
        PersonForgotten,
        UnitRegistered,
        RegencyRegistered,
    )
    tables: Sequence[Table] = (PERSONS, HEADS)
    loads: Sequence[Load] = (PERSON, UNITS)

    def knowledge(self) -> Known:
        """Give the knowledge before the first broadcast."""
        return Known()

    def learn(self, knowledge: Known, broadcast: Envelope, /) -> None:
        """Store a unit or a regency; the last version counts."""
        data: Any = broadcast.data
        if broadcast.type == UnitRegistered.type_name():
            knowledge.heads[data.unit_id] = data.head_employee_id or None
        else:
            knowledge.zones[data.code] = data.timezone

    def audience(self, knowledge: Known, broadcast: Envelope, /) -> Audience:
        """Give everybody; `concerns` selects those who are or were in the unit or regency."""
        is_heard = broadcast.type in (UnitRegistered.type_name(), RegencyRegistered.type_name())
        return Everybody() if is_heard else NOBODY

    def concerns(self, state: Person, broadcast: Envelope, /) -> bool:
        """Say whether the person is in that regency, or was ever in that unit."""
        data: Any = broadcast.data
        if broadcast.type == UnitRegistered.type_name():
            return data.unit_id in state.heads
        return bool(data.code == state.regency)

    def restore(self, subject: str, rows: Mapping[str, Sequence[Row]], /) -> Person:
        """Give an entry from its rows."""
        person = Person(subject, heads={unit: head for _, unit, head in rows.get(UNITS.name, ())})
        for row in rows.get(PERSON.name, ()):
            _, person.name, person.contacts, person.regency, person.timezone, forgotten = row
            person.forgotten = forgotten
        return person

    def fold(
        self,
        state: Person,
        heard: Envelope,
        knowledge: Known,
        last_seq: int,
        /,
    ) -> Sequence[NewEvent]:
        """Bring the entry up to date."""
        data: Any = heard.data
        if heard.type == EmployeeRegistered.type_name():
            _register(state, data, knowledge)
        elif heard.type == PersonForgotten.type_name():
            state.name, state.contacts, state.forgotten = None, "{}", True
            state.changed = True
        elif heard.type == UnitRegistered.type_name():
            _in_unit(state, data.unit_id, knowledge)
        elif heard.type == RegencyRegistered.type_name():
            _in_regency(state, state.regency, knowledge)
        return ()

    def changes(self, state: Person, /) -> Iterable[tuple[str, Changes]]:
        """Give the rows that changed since it was last asked."""
        if state.changed:
            row = (
                state.subject,
                state.name,
                state.contacts,
                state.regency,
                state.timezone,
                state.forgotten,
            )
            yield PERSONS.name, Changes(upserts=[row])
        if state.changed_units:
            rows = [
                (state.subject, unit, state.heads[unit]) for unit in sorted(state.changed_units)
            ]
            yield HEADS.name, Changes(upserts=rows)
        state.changed, state.changed_units = False, set()


def _register(person: Person, line: Any, knowledge: Known) -> None:
    """Store a line of the person's history. Contacts come with the first (semantics A6)."""
    if not person.forgotten:
        person.name = _sealed(line.name) if line.name else person.name
        if line.contacts:
            by_channel = {_channel(each.channel): _plain(each.address) for each in line.contacts}
            person.contacts = json.dumps(by_channel, sort_keys=True)
    _in_regency(person, line.regency, knowledge)
    if line.unit_id:
        _in_unit(person, line.unit_id, knowledge)


def _in_regency(person: Person, regency: str, knowledge: Known) -> None:
    person.regency, person.timezone = regency, knowledge.zones.get(regency)
    person.changed = True


def _in_unit(person: Person, unit_id: str, knowledge: Known) -> None:
    person.heads[unit_id] = knowledge.heads.get(unit_id)
    person.changed_units.add(unit_id)


def _channel(name: str) -> str:
    lower = name.lower()
    return ALIASES.get(lower, lower)


def _plain(sealed: Any) -> dict[str, str]:
    return {"kid": sealed.kid, "ct": sealed.ct}


def _sealed(sealed: Any) -> str:
    return json.dumps(_plain(sealed), sort_keys=True)
