"""The assessor as a projection: how a person is restored from rows, and what is written."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Table

from services.attendance.domain.assessor import fold
from services.attendance.domain.fact_effects import concerns
from services.attendance.domain.fact_kinds import AUDIENCES, HEARS
from services.attendance.domain.fold_version import EVERY_REGENCY, FOLD_VERSIONS
from services.attendance.domain.loaded_days import forget_below, needed_from, take_up
from services.attendance.domain.person import Person
from services.attendance.domain.person_facts import KEPT, take_fact
from services.attendance.domain.reference_data import Knowledge, learn
from services.attendance.projection.rows import (
    day_row,
    restore_day,
    restore_history,
    said_of,
    said_row,
)
from services.attendance.projection.tables import (
    FACTS,
    KEPT_DAYS,
    LOADS,
    THRESHOLDS,
    WORKDAYS,
    Older,
    older,
)
from shared.events import attendance as words
from shared.events.base import Fact
from shared.events.envelope import Envelope, canonical
from shared.events.structs import data_decoder_of
from shared.kernel.local_time import date_of
from shared.runtime.projection import (
    NOBODY,
    Audience,
    Changes,
    Everybody,
    Load,
    Only,
    ProjectionBase,
    Row,
)

_KINDS = {kind.__name__: kind for kind in vars(words).values() if isinstance(kind, type)}
_DECODERS: dict[str, msgspec.json.Decoder[Fact]] = {
    name: data_decoder_of(_KINDS[name]) for name in KEPT
}


class Assessor(ProjectionBase[Person, Knowledge]):
    """Folds the facts of `attendance.facts.v1` into workdays and thresholds, a person a subject.

    `forgets`: drop the details of old days once they are written; False where nothing writes them.
    """

    name = "attendance.assessor"
    service = "attendance"
    version = 1
    topics: Sequence[str] = (words.FACTS,)
    hears: Sequence[type[Fact]] = HEARS
    # Evidence decides nothing (A15, A16): decoding it would make a dozen objects a check-in.
    reads: Mapping[type[Fact], frozenset[str]] = {
        words.CheckInRecorded: frozenset({"employee_id", "occurred_at"})
    }
    tables: Sequence[Table] = (FACTS, WORKDAYS, THRESHOLDS)
    loads: Sequence[Load] = LOADS
    says: Sequence[type[Fact]] = (
        words.WorkdayAssessed,
        words.AbsenceThresholdReached,
        words.AbsenceThresholdRetracted,
    )
    fold_versions: Sequence[int] = FOLD_VERSIONS

    def __init__(self, *, forgets: bool = True) -> None:
        self._forgets = forgets

    def knowledge(self) -> Knowledge:
        return Knowledge(fold_versions=self.fold_versions)

    def knows_regency(self, knowledge: Knowledge, regency: str, /) -> bool:
        """Say whether a regency was ever registered; records of another one are parked."""
        return regency in knowledge.regencies or regency == EVERY_REGENCY

    def learn(self, knowledge: Knowledge, broadcast: Envelope) -> None:
        learn(knowledge, kind_of(broadcast), broadcast.subject, broadcast.data)

    def audience(self, knowledge: Knowledge, broadcast: Envelope) -> Audience:
        match AUDIENCES[broadcast.type]:
            case "everybody":
                return Everybody()
            case "pin_holders":
                return Only(knowledge.pins.holders(broadcast.data.serial, broadcast.data.pin))
            case "own_service":
                return Everybody() if broadcast.data.service == self.service else NOBODY
            case "nobody":
                return NOBODY

    concerns = staticmethod(concerns)

    def restore(self, subject: str, rows: Mapping[str, Sequence[Row]]) -> Person:
        person = Person(subject)
        for _, kind, fact_id, data in rows.get("facts", ()):
            take_fact(person, kind, fact_id, _DECODERS[kind].decode(data))
        for row in rows.get("history", ()):
            restore_history(person, row)
        for row in (details := rows.get("workdays", ())):
            restore_day(person, row[:-1])
        take_up(person, details[0][-1].toordinal() if details else 0)
        for row in rows.get("thresholds", ()):
            person.thresholds.append(said_of(row))
        person.stored_thresholds = {said.seq for said in person.thresholds}
        return person

    def reach(self, state: Person, heard: Envelope, knowledge: Knowledge) -> Load | None:
        floor = needed_from(state, knowledge, heard)
        if floor is None:
            return None
        return older(str(date_of(floor)), str(date_of(state.floor)), floor)

    def deepen(self, state: Person, load: Load, rows: Sequence[Row]) -> None:
        if not isinstance(load, Older):
            raise TypeError(load)
        for row in rows:
            restore_day(state, row[:-1])
        take_up(state, load.floor)

    fold = staticmethod(fold)

    def changes(self, state: Person) -> Iterable[tuple[str, Changes]]:
        if state.new_facts:
            rows = [(state.id, *fact, canonical(data)) for *fact, data in state.new_facts]
            state.new_facts.clear()
            yield FACTS.name, Changes(inserts=rows)
        if state.dirty_days:
            days = Changes()
            for day in sorted(state.dirty_days):
                (days.upserts if day in state.stored_days else days.inserts).append(
                    day_row(state, day)
                )
            state.stored_days |= state.dirty_days
            state.dirty_days.clear()
            yield WORKDAYS.name, days
        if self._forgets and len(state.days) > 2 * KEPT_DAYS:
            forget_below(state, max(state.days) - KEPT_DAYS)
        if state.dirty_thresholds:
            said = Changes()
            for threshold in state.thresholds:
                if threshold.seq in state.dirty_thresholds:
                    new = threshold.seq not in state.stored_thresholds
                    (said.inserts if new else said.upserts).append(said_row(state, threshold))
            state.stored_thresholds |= state.dirty_thresholds
            state.dirty_thresholds.clear()
            yield THRESHOLDS.name, said


def kind_of(heard: Envelope) -> str:
    """Name the kind of an envelope: its struct has the model's name."""
    return type(heard.data).__name__
