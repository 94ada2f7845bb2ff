"""Facts of a person that are stored for ever: lines, letters, shifts. Each applies once."""

from collections.abc import Callable
from typing import Any, NamedTuple

from services.attendance.domain.person import Excuse, Line, Person
from shared.events.base import ContradictionError

Content = tuple[Any, ...]


def take_fact(person: Person, kind: str, fact_id: str, data: Any) -> bool:
    """Apply a line, a letter, its revocation or a shift to the state; False if applied before.

    Errors: ContradictionError if a fact with that id had other content, or a letter was never
    recorded. Only clear fields are compared, not ciphertext.
    """
    stored = STORED[kind]
    content = stored.content(data)
    known = person.facts.get(fact_id)
    if known is not None:
        if known != content:
            raise ContradictionError(
                f"{kind} {fact_id} says {_shown(content)}, and said {_shown(known)} before"
            )
        return False
    stored.apply(person, fact_id, content)
    person.facts[fact_id] = content
    return True


def _shown(content: Content) -> str:
    """Show a fact's content, for messages."""
    return f"({', '.join('-' if each is None else str(each) for each in content)})"


def _line(person: Person, _: str, content: Content) -> None:
    begins, ends, *rest = content
    order, last = len(person.facts), None if ends is None else ends.toordinal()
    person.add_line(Line(begins.toordinal(), order, last, *rest))


def _shift(person: Person, _: str, content: Content) -> None:
    on, schedule_id = content
    person.shifts[on.toordinal()] = schedule_id


def _excuse(person: Person, _: str, content: Content) -> None:
    excuse_id, first, last = content
    person.excuses.append(Excuse(excuse_id, first.toordinal(), last.toordinal()))


def _revocation(person: Person, fact_id: str, content: Content) -> None:
    person.excuse(content[0], fact_id).revoked = True


def _nothing(_: Person, _fact_id: str, _content: Content) -> None:
    """Change no state: that the fact is stored is all."""


class Stored(NamedTuple):
    """A kind of fact that is stored: its content, which never changes, and what it changes."""

    content: Callable[[Any], Content]
    apply: Callable[[Person, str, Content], None]


STORED: dict[str, Stored] = {
    "EmployeeRegistered": Stored(
        lambda data: (
            data.active_from,
            data.active_to,
            data.regency,
            data.unit_id,
            data.employment,
            data.position_level,
            data.supervisor_id,
            data.schedule_id,
        ),
        _line,
    ),
    "ShiftAssigned": Stored(lambda data: (data.on, data.schedule_id), _shift),
    "ExcuseRecorded": Stored(lambda data: (data.excuse_id, data.first_on, data.last_on), _excuse),
    "ExcuseRevoked": Stored(lambda data: (data.excuse_id,), _revocation),
    "PersonForgotten": Stored(lambda _: (), _nothing),
}
KEPT = frozenset(STORED)  # Kinds whose facts are kept as rows, and taken again by a restore.
