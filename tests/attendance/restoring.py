"""A projection folded in memory, whose people are thrown away and brought back from their rows."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from operator import itemgetter

from services.attendance.domain.loaded_days import MARGIN
from services.attendance.domain.person import Person
from services.attendance.domain.reference_data import Knowledge
from services.attendance.projection.assessor import Assessor
from services.attendance.projection.tables import FACTS, KEPT_DAYS, THRESHOLDS, WORKDAYS, Older
from shared.events.envelope import Envelope
from shared.runtime.processing.in_memory import InMemoryProjection
from shared.runtime.projection import Row

DAY, STATUS, RULES, EMPLOYMENT, CONVERTS, SEQ = (
    list(WORKDAYS.columns.keys()).index(name)
    for name in ("day", "status", "rules", "employment", "converts", "seq")
)


class Rows:
    """What the assessor's tables hold, and its queries, written once more in Python."""

    def __init__(self, driver: InMemoryProjection[Person, Knowledge]) -> None:
        self._driver = driver

    def of(self, table: str, subject: str) -> list[Row]:
        """Give a person's rows in the order of the primary key."""
        own = (row for row in self._driver.rows(table) if row[0] == subject)
        return sorted(own, key=itemgetter(1))

    def loads(self, subject: str) -> dict[str, list[Row]]:
        """Give what `LOADS` give."""
        days = self.of(WORKDAYS.name, subject)
        said = [row for row in days if row[STATUS] is not None]
        arrays = ([r[i] for r in said] for i in (DAY, STATUS, RULES, EMPLOYMENT, CONVERTS, SEQ))
        return {
            "facts": [(r[0], r[2], r[3], r[5]) for r in self.of(FACTS.name, subject)],
            "history": [(subject, *arrays)] if said else [],
            "workdays": self._details(days),
            "thresholds": self.of(THRESHOLDS.name, subject),
        }

    def _details(self, days: Sequence[Row]) -> list[Row]:
        if not days:
            return []
        pending = [row[DAY] for row in days if row[STATUS] == "pending"]
        floor = min([days[-1][DAY] - timedelta(days=KEPT_DAYS), *pending])
        return [(*row, floor) for row in days if row[DAY] >= floor - timedelta(days=MARGIN)]

    def older(self, subject: str, floor: int, last: int) -> list[Row]:
        """Give what `older` gives."""
        return [
            (*row, None)
            for row in self.of(WORKDAYS.name, subject)
            if floor - MARGIN <= row[DAY].toordinal() < last
        ]


class Restoring(InMemoryProjection[Person, Knowledge]):
    """Brings a person back from rows before a fold wherever `cut` says so, and counts it."""

    def __init__(self, cut: Callable[[], bool]) -> None:
        super().__init__(Assessor(), keep_rows=True)
        self._cut = cut
        self._stored = Rows(self)
        self.seen: dict[str, int] = defaultdict(int)

    def _fold(self, subject: str, heard: Envelope) -> list[Envelope]:
        if subject in self.states and self._cut():
            self.states[subject] = self.projection.restore(subject, self._stored.loads(subject))
            self.seen["restored"] += 1
        state = self.states.get(subject)
        if state is not None:
            self._deepen(state, heard)
        return super()._fold(subject, heard)

    def _deepen(self, state: Person, heard: Envelope) -> None:
        load = self.projection.reach(state, heard, self._knowledge)
        if load is not None:
            assert isinstance(load, Older)
            rows = self._stored.older(state.id, load.floor, state.floor)
            self.projection.deepen(state, load, rows)
            self.seen["deepened"] += 1
