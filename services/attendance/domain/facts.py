"""Facts that are kept of a person for good: lines, letters, shifts. Each applies once."""

from collections.abc import Callable
from typing import Any

from services.attendance.domain.person import Excuse, Line, Person
from shared.events.base import Contradiction


def take_fact(person: Person, kind: str, fact_id: str, data: Any) -> bool:
    """Take a line, a letter, its revocation or a shift into the state; False if heard before.

    Errors: Contradiction if a fact with that id said otherwise, or a letter was never recorded.
    Judged on clear fields: ciphertext says nothing here.
    """
    content = _CONTENT[kind](data)
    known = person.facts.get(fact_id)
    if known is not None:
        if known != content:
            raise Contradiction(f"{kind} {fact_id} says {content}, and said {known} before")
        return False
    order = len(person.facts)
    if kind == "EmployeeRegistered":
        person.add_line(Line(content[0], order, *content[1:]))
    elif kind == "ShiftAssigned":
        person.shifts[content[0]] = content[1]
    elif kind == "ExcuseRecorded":
        person.excuses.append(Excuse(*content))
    elif kind == "ExcuseRevoked":
        person.excuse(content[0], fact_id).revoked = True
    person.facts[fact_id] = content
    return True


_CONTENT: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "EmployeeRegistered": lambda data: (
        data.active_from.toordinal(),
        None if data.active_to is None else data.active_to.toordinal(),
        data.regency,
        data.unit_id,
        data.employment,
        data.position_level,
        data.supervisor_id,
        data.schedule_id,
    ),
    "ShiftAssigned": lambda data: (data.on.toordinal(), data.schedule_id),
    "ExcuseRecorded": lambda data: (
        data.excuse_id,
        data.first_on.toordinal(),
        data.last_on.toordinal(),
    ),
    "ExcuseRevoked": lambda data: (data.excuse_id,),
    "PersonForgotten": lambda _: (),
}
KEPT = frozenset(_CONTENT)  # Kinds whose facts are kept as rows, and taken again by a restore.
