"""People who are seen again and again, and broadcasts in between: the load of a fault test."""

from collections import Counter
from collections.abc import Iterable, Iterator

from shared.events.envelope import Envelope
from tests.kit import toy_facts as facts

PEOPLE = tuple(f"p{number:02}" for number in range(30))
NUMBERED = frozenset(PEOPLE[20:])  # These are heard of by numbered events of another service.


class Crowd:
    """Says facts one after the other; `said` are all of them, in order."""

    def __init__(self) -> None:
        self.said: list[Envelope] = []
        self._broadcasts = 0
        self._seen: Counter[str] = Counter()

    def goes_on(self, count: int) -> list[Envelope]:
        """Say so many facts more."""
        more = [self._next(len(self.said) + at) for at in range(count)]
        self.said += more
        return more

    def _next(self, at: int) -> Envelope:
        if at % 90 == 0:
            self._broadcasts += 1
            number = self._broadcasts
            kinds = (facts.registered, facts.closed, facts.passed_by)
            if number % 4 == 3:
                return facts.calendar(number, *PEOPLE[:25])
            return kinds[(number - 1) % 4 % 3](number)
        person = PEOPLE[at * 7 % len(PEOPLE)]
        self._seen[person] += 1
        seq = self._seen[person] if person in NUMBERED else None
        via = "manual" if at % 41 == 0 else "mobile"
        return facts.check_in(person, at, at % 50, via=via, seq=seq)


def counted(said: Iterable[Envelope]) -> dict[str, tuple[int, int]]:
    """Give each person's count and total, added up without the runner, for a log without faults.

    Only people who were seen before a broadcast are concerned by it; partitions make no
    difference, as each is written in this order.
    """
    count: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for envelope in said:
        if envelope.broadcastseq is None:
            count[envelope.subject] += 1
            total[envelope.subject] += int(envelope.data.place)
        for person in _concerned(envelope, count):
            total[person] += 100 if envelope.type.endswith("WorkdayClosed.v1") else 10
    return {person: (count[person], total[person]) for person in count}


def _concerned(envelope: Envelope, seen: Counter[str]) -> Iterator[str]:
    if envelope.type.endswith("WorkdayClosed.v1"):
        yield from seen
    elif envelope.type.endswith("CalendarPublished.v1"):
        yield from set(envelope.data.name.split(",")) & set(seen)
