"""The list of facts of a dataset, in the order in which they became known (section A)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from tests.oracle.documents import Document
from tests.oracle.holders import pin_holder
from tests.oracle.model import (
    COUNTRY,
    EVERYWHERE,
    CheckIn,
    Closing,
    Outage,
    Pin,
    Revocation,
    Row,
    RuleSet,
    Schedule,
    Source,
)
from tests.oracle.punches import Punch
from tests.oracle.reading import Dataset, instants_of
from tests.oracle.times import BEGINNING, NEVER, noon_after

PINS, SCHEDULES, RULES, EMPLOYEES, SHIFTS, CALENDAR, EXCUSES, REVOCATIONS, OUTAGES = range(9)
PUNCHES, OTHERS, CLOSINGS = 9, 10, 11
"""The order of facts of one second (A10)."""


@dataclass(frozen=True)
class Fact:
    """One step. `regency` is set for a broadcast, `employee` for a fact of one person."""

    known: datetime
    rank: int
    source: Source
    content: Row
    regency: str = ""
    employee: str = ""

    @property
    def order(self) -> tuple[datetime, int, str, int, str]:
        return self.known, self.rank, self.source.file, self.source.line, self.regency


def facts_of(dataset: Dataset, through: date) -> list[Fact]:
    """Give every fact that is published when the dataset is loaded up to a date, in log order."""
    ends = {code: noon_after(through, one.zone) for code, one in dataset.regencies.items()}
    people = {one.content.employee for one in dataset.tables["employees.csv"]}
    ends_of = {name: ends[dataset.regency_on(name, through)] for name in people}

    def published(fact: Fact) -> bool:
        end = ends_of[fact.employee] if fact.employee else ends[fact.regency]
        return fact.known <= end

    told = [one for one in broadcasts(dataset) if published(one)]
    told.sort(key=lambda one: one.order)
    pins = [(one, one.content) for one in told if isinstance(one.content, Pin)]
    keyed = [one for one in personal(dataset) if published(one)]
    heard = first_of_each([*punched(dataset, pins), *others(dataset)])
    heard = [one for one in heard if published(one)]
    closed = list(closings(dataset, through))
    return sorted([*told, *keyed, *heard, *closed], key=lambda one: one.order)


def broadcasts(dataset: Dataset) -> Iterator[Fact]:
    """Give the facts of regencies; a decree of wider scope is one for each it covers (A3)."""
    for one in dataset.tables["pins.csv"]:
        known = instants_of(dataset, one).get("recorded_at", BEGINNING)
        where = dataset.devices[one.content.serial].regency
        yield Fact(known, PINS, one.source, one.content, where)
    for document in dataset.schedules:
        yield from published_documents(dataset, document, SCHEDULES)
    for document in dataset.rules:
        yield from published_documents(dataset, document, RULES)
    for one in dataset.tables["calendar.csv"]:
        for code, regency in dataset.regencies.items():
            if one.content.scope in {COUNTRY, regency.province, code}:
                known = one.moments["recorded_at"].at(regency.zone)
                yield Fact(known, CALENDAR, one.source, one.content, code)
    for one in dataset.tables["outages.csv"]:
        _, code, unit, serial = one.content
        instants = instants_of(dataset, one)
        outage = Outage(code, unit, serial, instants["from"], instants.get("to", NEVER))
        yield Fact(instants["recorded_at"], OUTAGES, one.source, outage, code)


def published_documents(dataset: Dataset, document: Document, rank: int) -> Iterator[Fact]:
    content: Schedule | RuleSet = document.content
    for code, regency in dataset.regencies.items():
        if content.regency in {EVERYWHERE, code}:
            recorded = document.recorded
            known = recorded.at(regency.zone) if recorded else BEGINNING
            yield Fact(known, rank, document.source, content, code)


def personal(dataset: Dataset) -> Iterator[Fact]:
    """Give lines of histories, shifts, excuses and revocations."""
    for name, rank in (("employees.csv", EMPLOYEES), ("shifts.csv", SHIFTS)):
        for one in dataset.tables[name]:
            known = instants_of(dataset, one)["recorded_at"]
            yield Fact(known, rank, one.source, one.content, employee=one.content.employee)
    for one in dataset.tables["excuses.csv"]:
        instants, employee = instants_of(dataset, one), one.content.employee
        yield Fact(instants["recorded_at"], EXCUSES, one.source, one.content, employee=employee)
        if "revoked_at" in instants:
            revocation = Revocation(one.content.excuse_id, employee)
            known = instants["revoked_at"]
            yield Fact(known, REVOCATIONS, one.source, revocation, employee=employee)


def punched(dataset: Dataset, pins: list[tuple[Fact, Pin]]) -> Iterator[Fact]:
    """Give the check-ins of devices whose PIN is, or later becomes, somebody's (A8, A13)."""
    for punch in dataset.punches:
        zone = dataset.devices[punch.serial].zone
        at = punch.wall.replace(tzinfo=zone).astimezone(UTC)
        known = arrival(dataset, punch.serial, at)
        own = [(one, pin) for one, pin in pins if matches(pin, punch)]
        moments = [known, *(one.known for one, _ in own if one.known > known)]
        for moment in moments:
            rows = [pin for one, pin in own if one.known <= moment]
            holder = pin_holder(rows, punch.wall.date())
            if holder is not None:
                key = (punch.serial, punch.pin, punch.wall.isoformat())
                content = CheckIn(holder, at, key)
                yield Fact(moment, PUNCHES, punch.source, content, employee=holder)
                break


def matches(row: Pin, punch: Punch) -> bool:
    return (row.serial, row.pin) == (punch.serial, punch.pin)


def arrival(dataset: Dataset, serial: str, at: datetime) -> datetime:
    """Say when a punch became known: of overlapping late uploads the latest (A13)."""
    uploads = [one for one in dataset.tables["late-uploads.csv"] if one.content == serial]
    spans = [instants_of(dataset, one) for one in uploads]
    received = [one["received_at"] for one in spans if one["from"] <= at <= one["to"]]
    return max(received, default=at)


def others(dataset: Dataset) -> Iterator[Fact]:
    """Give the check-ins that came from no device."""
    for one in dataset.tables["check-ins.csv"]:
        employee, via = one.content
        instants = instants_of(dataset, one)
        at = instants["occurred_at"]
        content = CheckIn(employee, at, (employee, at.isoformat(), via))
        known = instants.get("received_at", at)
        yield Fact(known, OTHERS, one.source, content, employee=employee)


def first_of_each(facts: list[Fact]) -> list[Fact]:
    """Keep the first known of equal check-ins; the others are no news (A14)."""
    kept: dict[tuple[str, ...], Fact] = {}
    for fact in sorted(facts, key=lambda one: one.order):
        if isinstance(fact.content, CheckIn):
            kept.setdefault(fact.content.key, fact)
    return list(kept.values())


def closings(dataset: Dataset, through: date) -> Iterator[Fact]:
    """Give one closing for each regency and date, from its employees' first recording on (A1)."""
    for code, regency in dataset.regencies.items():
        lines = [one for one in dataset.tables["employees.csv"] if one.content.regency == code]
        recorded = [instants_of(dataset, one)["recorded_at"] for one in lines]
        if not recorded:
            continue
        day = min(recorded).astimezone(regency.zone).date()
        while day <= through:
            known = noon_after(day, regency.zone)
            yield Fact(known, CLOSINGS, Source("", 0), Closing(code, day), code)
            day += timedelta(days=1)
