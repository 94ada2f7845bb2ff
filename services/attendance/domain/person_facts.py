"""Facts of a person that are stored for ever: lines, letters, shifts. Each applies once."""

from collections.abc import Callable
from typing import Any

from services.attendance.domain.person import Excuse, Line, Person
from shared.events.base import ContradictionError


def take_fact(person: Person, kind: str, fact_id: str, data: Any) -> bool:
    """Apply a line, a letter, its revocation or a shift to the state; False if applied before.

    Errors: ContradictionError if a fact with that id had other content, or a letter was never
    recorded. Only clear fields are compared, not ciphertext.
    """
    content = _CONTENT[kind](data)
    known = person.facts.get(fact_id)
    if known is not None:
        if known != content:
            raise ContradictionError(
                f"{kind} {fact_id} says {_shown(content)}, and said {_shown(known)} before"
            )
        return False
    order = len(person.facts)
    if kind == "EmployeeRegistered":
        begins, ends, *rest = content
        line = Line(begins.toordinal(), order, None if ends is None else ends.toordinal(), *rest)
        person.add_line(line)
    elif kind == "ShiftAssigned":
        on, schedule_id = content
        person.shifts[on.toordinal()] = schedule_id
    elif kind == "ExcuseRecorded":
        excuse_id, first, last = content
        person.excuses.append(Excuse(excuse_id, first.toordinal(), last.toordinal()))
    elif kind == "ExcuseRevoked":
        person.excuse(content[0], fact_id).revoked = True
    person.facts[fact_id] = content
    return True


def _shown(content: tuple[Any, ...]) -> str:
    """Show a fact's content, for messages."""
    return f"({', '.join('-' if each is None else str(each) for each in content)})"


_CONTENT: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "EmployeeRegistered": lambda data: (
        data.active_from,
        data.active_to,
        data.regency,
        data.unit_id,
        data.employment,
        data.position_level,
        data.supervisor_id,
        data.schedule_id,
    ),
    "ShiftAssigned": lambda data: (data.on, data.schedule_id),
    "ExcuseRecorded": lambda data: (data.excuse_id, data.first_on, data.last_on),
    "ExcuseRevoked": lambda data: (data.excuse_id,),
    "PersonForgotten": lambda _: (),
}
KEPT = frozenset(_CONTENT)  # Kinds whose facts are kept as rows, and taken again by a restore.
