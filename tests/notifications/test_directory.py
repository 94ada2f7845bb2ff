"""The directory: how a person is called and reached, still sealed."""

import json
from datetime import date
from typing import Any

from services.notifications.directory import HEADS, PERSON, PERSONS, UNITS, Directory
from shared.events.attendance import (
    Contact,
    EmployeeRegistered,
    PersonForgotten,
    RegencyRegistered,
    UnitRegistered,
)
from shared.events.base import Fact, Sealed
from shared.events.envelope import Envelope
from shared.events.structs import as_struct
from shared.runtime.processing.in_memory import InMemoryProjection

SAID = Sealed(kid="person/A", ct="bmFtZQ==")
ADDRESS = Sealed(kid="person/A", ct="YWRkcmVzcw==")


class Log:
    """Facts in the order given, broadcasts numbered."""

    def __init__(self) -> None:
        self.driver = InMemoryProjection(Directory(), keep_rows=True)
        self.broadcasts = 0

    def hear(self, fact: Fact, subject: str) -> None:
        self.broadcasts += fact.BROADCAST
        at = "2026-01-01T00:00:00+08:00"
        envelope = Envelope(
            id="f",
            source="/attendance",
            subject=subject,
            broadcastseq=self.broadcasts if fact.BROADCAST else None,
            type=type(fact).type_name(),
            regency="53.01",
            time=at,
            recordedtime=at,
            data=as_struct(fact),
        )
        assert self.driver.hear(envelope) == []

    def person(self, subject: str) -> dict[str, Any]:
        names = [column.name for column in PERSONS.columns]
        kept = [dict(zip(names, row, strict=True)) for row in self.driver.rows(PERSONS.name)]
        return next(row for row in kept if row["subject"] == subject)

    def heads(self) -> set[tuple[Any, ...]]:
        return set(self.driver.rows(HEADS.name))


def regency(code: str = "53.01", zone: str = "Asia/Makassar") -> RegencyRegistered:
    return RegencyRegistered(code=code, name="Kupang", province="53", timezone=zone)


def unit(unit_id: str = "U", head: str | None = "chief") -> UnitRegistered:
    return UnitRegistered(
        unit_id=unit_id,
        regency="53.01",
        name="Dinas",
        parent_unit_id=None,
        head_employee_id=head,
        schedule_id=None,
    )


def line(
    person: str = "A",
    *,
    unit_id: str | None = "U",
    name: Sealed | None = SAID,
    contacts: tuple[Contact, ...] = (),
) -> EmployeeRegistered:
    return EmployeeRegistered(
        employee_id=person,
        nip=None,
        name=name,
        regency="53.01",
        unit_id=unit_id,
        employment="PNS",
        position_level=None,
        supervisor_id=None,
        schedule_id=None,
        active_from=date(2020, 1, 1),
        active_to=None,
        contacts=contacts,
    )


def registered() -> Log:
    log = Log()
    log.hear(regency(), "53.01")
    log.hear(unit(), "53.01")
    log.hear(line(contacts=(Contact(channel="mail", address=ADDRESS),)), "A")
    return log


def test_an_entry_holds_ciphertext_and_the_zone_of_the_regency() -> None:
    person = registered().person("A")

    assert json.loads(person["name"]) == SAID.model_dump()
    assert json.loads(person["contacts"]) == {"mail": ADDRESS.model_dump()}
    assert (person["timezone"], person["forgotten"]) == ("Asia/Makassar", False)


def test_contacts_stay_when_a_later_line_brings_none() -> None:
    """A6: they come with the first line."""
    log = registered()
    log.hear(line(unit_id="V", name=None), "A")

    assert json.loads(log.person("A")["contacts"]) == {"mail": ADDRESS.model_dump()}
    assert json.loads(log.person("A")["name"]) == SAID.model_dump()


def test_a_channel_is_known_by_the_names_that_offices_use() -> None:
    log = registered()
    log.hear(line(contacts=(Contact(channel="Email", address=ADDRESS),)), "A")

    assert set(json.loads(log.person("A")["contacts"])) == {"mail"}


def test_the_head_of_each_unit_that_a_person_was_in_is_known() -> None:
    log = registered()
    log.hear(line("B", unit_id="W"), "B")
    log.hear(line(unit_id="V"), "A")

    assert log.heads() == {("A", "U", "chief"), ("A", "V", None), ("B", "W", None)}


def test_a_new_head_is_the_head_of_the_people_of_that_unit_only() -> None:
    log = registered()
    log.hear(line("B", unit_id="W"), "B")
    log.hear(unit("U", head="new"), "53.01")

    assert log.heads() == {("A", "U", "new"), ("B", "W", None)}


def test_a_unit_without_a_head_is_known_to_have_none() -> None:
    log = Log()
    log.hear(unit(head=""), "53.01")
    log.hear(line(), "A")

    assert log.heads() == {("A", "U", None)}


def test_of_a_forgotten_person_nothing_is_kept_also_when_registered_again() -> None:
    log = registered()
    log.hear(PersonForgotten(employee_id="A"), "A")
    log.hear(line(contacts=(Contact(channel="mail", address=ADDRESS),)), "A")

    person = log.person("A")

    assert (person["name"], person["contacts"], person["forgotten"]) == (None, "{}", True)


def test_an_entry_restored_from_rows_is_the_same() -> None:
    log = registered()
    rows = {
        PERSON.name: list(log.driver.rows(PERSONS.name)),
        UNITS.name: list(log.driver.rows(HEADS.name)),
    }

    assert Directory().restore("A", rows) == log.driver.states["A"]
