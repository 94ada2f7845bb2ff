"""The kinds of facts that the assessor consumes: the one place to register one.

A row says where a kind matters; the functions stay beside the rules that they carry out. What a
row demands and a table lacks is named by `tests/attendance/domain/test_fact_kinds.py`.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from shared.events import attendance as words
from shared.events.base import Fact

# What a fact does to a person: `fact_effects.HANDLERS`, or a way of its own in `assessor.fold`.
# `days`: it may change assessed days, so a late one needs old ones (`loaded_days.EARLIEST`).
# `kept`: it is only stored.
Effect = Literal["check_in", "closing", "adoption", "days", "kept", "none"]
Audience = Literal["nobody", "everybody", "pin_holders", "own_service"]


class FactKind(NamedTuple):
    """One kind, and where it matters.

    `stored`: a fact of a person that is kept as a row (`person_facts.STORED`). `teaches`: a
    broadcast that changes the knowledge (`reference_data.TAUGHT`). `audience`: whom a broadcast
    may concern. `of_one_date`: it concerns the people of its regency on `data.on`.
    `moves_windows`: it may end an evidence window (B13).
    """

    model: type[Fact]
    effect: Effect
    stored: bool = False
    teaches: bool = False
    audience: Audience = "nobody"
    of_one_date: bool = False
    moves_windows: bool = True


FACT_KINDS = (
    FactKind(words.CheckInRecorded, "check_in", moves_windows=False),
    FactKind(words.EmployeeRegistered, "days", stored=True),
    FactKind(words.ExcuseRecorded, "days", stored=True, moves_windows=False),
    FactKind(words.ExcuseRevoked, "days", stored=True, moves_windows=False),
    FactKind(words.ShiftAssigned, "days", stored=True),
    FactKind(words.PersonForgotten, "kept", stored=True),
    FactKind(words.RegencyRegistered, "none", teaches=True),
    FactKind(words.UnitRegistered, "none", teaches=True),
    FactKind(words.DeviceRegistered, "none"),
    FactKind(words.PinAssigned, "days", teaches=True, audience="pin_holders"),
    FactKind(words.SchedulePublished, "days", teaches=True, audience="everybody"),
    FactKind(
        words.CalendarPublished, "days", teaches=True, audience="everybody", of_one_date=True
    ),
    FactKind(words.OutageDeclared, "days", teaches=True, audience="everybody"),
    FactKind(words.RuleSetPublished, "none", teaches=True),
    FactKind(words.FoldAdopted, "adoption", teaches=True, audience="own_service"),
    FactKind(words.WorkdayClosed, "closing", teaches=True, audience="everybody", of_one_date=True),
)
# Facts of attendance that the assessor does not consume, and why.
NOT_CONSUMED: Mapping[type[Fact], str] = {
    words.PunchUnresolved: "it is nobody's yet; a check-in follows when its PIN is assigned",
}

HEARS = tuple(each.model for each in FACT_KINDS)
# By the `type` of the envelope: on the hot path an attribute is cheaper than a class's name.
MOVES_NO_WINDOW = frozenset(
    each.model.type_name() for each in FACT_KINDS if not each.moves_windows
)
AUDIENCES: Mapping[str, Audience] = {each.model.type_name(): each.audience for each in FACT_KINDS}
OF_ONE_DATE = frozenset(each.model.type_name() for each in FACT_KINDS if each.of_one_date)
TO_PIN_HOLDERS = frozenset(
    each.model.type_name() for each in FACT_KINDS if each.audience == "pin_holders"
)
