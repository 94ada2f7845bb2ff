"""A kind of fact is registered in one place, and whatever it still lacks is named."""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import ModuleType

import pytest

from services.attendance.domain import fact_effects, loaded_days, person_facts, reference_data
from services.attendance.domain.fact_kinds import FACT_KINDS, NOT_CONSUMED, FactKind
from shared.events import attendance
from shared.events.base import Fact
from shared.events.catalogue import KINDS, kinds_in
from shared.runtime.contracts.schemas import PROJECT, SCHEMAS
from tests.events.golden import FILES, type_of


@dataclass(frozen=True)
class Places:
    """Everywhere that a kind of fact may have to be entered, by the names that stand there."""

    registered: tuple[FactKind, ...] = FACT_KINDS
    excused: AbstractSet[type[Fact]] = field(default_factory=lambda: set(NOT_CONSUMED))
    handlers: AbstractSet[str] = field(default_factory=lambda: set(fact_effects.HANDLERS))
    earliest: AbstractSet[str] = field(default_factory=lambda: set(loaded_days.EARLIEST))
    stored: AbstractSet[str] = field(default_factory=lambda: set(person_facts.STORED))
    taught: AbstractSet[str] = field(default_factory=lambda: reference_data.TAUGHT)
    golden: AbstractSet[str] = field(default_factory=lambda: {type_of(path) for path in FILES})
    schemas: AbstractSet[str] = field(
        default_factory=lambda: {path.stem for path in (PROJECT / SCHEMAS).glob("*.json")}
    )


def missing(kinds: Iterable[type[Fact]], places: Places) -> set[str]:
    """Name what is missing for facts of attendance, and what is there for no reason."""
    facts = [kind for kind in kinds if kind.TOPIC == attendance.FACTS]
    found = {
        f"{kind.__name__}: fact_kinds.FACT_KINDS, or NOT_CONSUMED with a reason"
        for kind in facts
        if kind not in {each.model for each in places.registered} | places.excused
    }
    for kind in facts:
        name, type_ = kind.__name__, kind.type_name()
        if type_ not in places.golden:
            found.add(f"{name}: a file in tests/events/golden")
        if type_ not in places.schemas:
            found.add(f"{name}: shared/events/schemas (tertib contracts write)")
    rows = places.registered
    types = {each.model.type_name(): each for each in rows}
    names = {each.model.__name__: each for each in rows}
    effects = {"days", "kept"}, {"days", "check_in", "closing", "adoption"}
    for place, table, there, wanted in (
        ("fact_effects.HANDLERS", places.handlers, types, lambda k: k.effect in effects[0]),
        ("loaded_days.EARLIEST", places.earliest, types, lambda k: k.effect in effects[1]),
        ("person_facts.STORED", places.stored, names, lambda k: k.stored),
        ("reference_data.TAUGHT", places.taught, names, lambda k: k.teaches),
    ):
        found |= _differing(place, table, there, wanted)
    return found


def _differing(
    place: str,
    table: AbstractSet[str],
    rows: Mapping[str, FactKind],
    wanted: Callable[[FactKind], bool],
) -> set[str]:
    demanded = {name for name, row in rows.items() if wanted(row)}
    lacking = {f"{_short(name)}: {place}" for name in demanded - table}
    return lacking | {f"{_short(name)}: no row demands it in {place}" for name in table - demanded}


def _short(name: str) -> str:
    return name.split(".")[2] if "." in name else name


def test_nothing_is_missing() -> None:
    assert missing(KINDS, Places()) == set()


class HailReported(attendance.BroadcastFact):
    """A kind that somebody has only defined."""

    regency: str


class OathTaken(attendance.KeyedFact):
    """Likewise, of one person."""

    employee_id: str


def test_a_kind_is_in_the_catalogue_where_it_is_defined() -> None:
    """Bases are not kinds: what another class extends."""
    module = ModuleType(__name__)
    vars(module).update(HailReported=HailReported, Fact=Fact, Base=attendance.BroadcastFact)

    assert kinds_in(module) == [HailReported]


def test_a_kind_that_nobody_registered_is_named_with_all_that_it_lacks() -> None:
    assert missing([*KINDS, HailReported], Places()) == {
        "HailReported: fact_kinds.FACT_KINDS, or NOT_CONSUMED with a reason",
        "HailReported: a file in tests/events/golden",
        "HailReported: shared/events/schemas (tertib contracts write)",
    }


@pytest.mark.parametrize(
    ("row", "lacks"),
    [
        (
            FactKind(HailReported, "days", teaches=True),
            {"fact_effects.HANDLERS", "loaded_days.EARLIEST", "reference_data.TAUGHT"},
        ),
        (FactKind(HailReported, "none", teaches=True), {"reference_data.TAUGHT"}),
        (FactKind(HailReported, "none"), set[str]()),
        (
            FactKind(OathTaken, "days", stored=True),
            {"fact_effects.HANDLERS", "loaded_days.EARLIEST", "person_facts.STORED"},
        ),
        (
            FactKind(OathTaken, "kept", stored=True),
            {"fact_effects.HANDLERS", "person_facts.STORED"},
        ),
    ],
)
def test_what_a_row_demands_is_named_until_it_is_there(row: FactKind, lacks: set[str]) -> None:
    """By the row alone: what it says of its kind is what the tables must have."""
    places = Places(registered=(*FACT_KINDS, row))

    assert missing(KINDS, places) == {f"{row.model.__name__}: {place}" for place in lacks}


def test_an_entry_that_no_row_demands_is_named() -> None:
    """A row that was taken away leaves dead rules behind."""
    rows = tuple(each for each in FACT_KINDS if each.model is not attendance.ShiftAssigned)

    assert missing(KINDS, Places(registered=rows)) == {
        "ShiftAssigned: fact_kinds.FACT_KINDS, or NOT_CONSUMED with a reason",
        "ShiftAssigned: no row demands it in fact_effects.HANDLERS",
        "ShiftAssigned: no row demands it in loaded_days.EARLIEST",
        "ShiftAssigned: no row demands it in person_facts.STORED",
    }
