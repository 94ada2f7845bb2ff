"""The cases as a projection: the rows that are kept of a person, and back from rows to matters.

One row is one threshold, whatever became of it: noted, proposed, superseded, withdrawn, decided.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary, MetaData, Table, Text

from services.discipline.domain import proposing
from services.discipline.domain.matters import Matters, Threshold
from services.discipline.rules import loading
from shared.events import attendance
from shared.events.attendance import AbsenceThresholdReached
from shared.events.base import Fact, NewEvent
from shared.events.envelope import Envelope
from shared.events.structs import as_struct
from shared.runtime.projection import Changes, Load, ProjectionBase, Row, Rule

PROPOSALS = Table(
    "proposals",
    MetaData(),
    Column("subject", Text(collation="C"), primary_key=True),
    Column("threshold_event_id", Text, primary_key=True),
    Column("heard", Integer, nullable=False, comment="the order heard, from 1, by person"),
    Column("ordinal", Integer, comment="the order proposed, from 1; null: noted only"),
    Column("case_id", Text),
    Column("employee_id", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("measure", Text, nullable=False),
    Column("days", Integer, nullable=False),
    Column("level", Text, nullable=False),
    Column("sanction", Text, nullable=False),
    Column("article", Text, nullable=False),
    Column("rule_set", Text, nullable=False, comment="id@version"),
    Column("state", Text, nullable=False),
    Column("retracted", Boolean, nullable=False),
    Column("regency", Text, nullable=False),
    Column("last_on", Date, comment="the last absence it was said with; null: minutes alone"),
    Column("said", LargeBinary, nullable=False, comment="the threshold as JSON, to go on from"),
)

STANDING = Load(
    "standing",
    "SELECT subject, threshold_event_id, regency, said, state, retracted, case_id, ordinal"
    " FROM {schema}.proposals WHERE subject = ANY($1) ORDER BY subject, heard",
)


@dataclass
class CaseFile:
    """The matters of one person, and which of their thresholds are not written down yet."""

    matters: Matters
    unwritten: set[str] = field(default_factory=set)


class Cases(ProjectionBase[CaseFile, None]):
    """Consumes attendance's events; keeps the cases of each person and publishes proposals."""

    name = "discipline.cases"
    service = "discipline"
    version = 1
    topics: Sequence[str] = (attendance.EVENTS,)
    hears: Sequence[type[Fact]] = proposing.HEARS
    tables: Sequence[Table] = (PROPOSALS,)
    loads: Sequence[Load] = (STANDING,)
    says: Sequence[type[Fact]] = proposing.SAYS
    commands = True  # Officials write the same person's stream.
    tells: Sequence[type[Fact]] = ()  # Their events: a rebuild folds them as given (design 6).

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """Give the national rule rows. Errors: UnreadableRulesError."""
        return loading.rules()

    def restore(self, subject: str, rows: Mapping[str, Sequence[Row]], /) -> CaseFile:
        """Give the matters from the rows of `standing`, which come in the order heard."""
        thresholds = {}
        for row in rows.get(STANDING.name, ()):
            _, event_id, regency, said, state, retracted, case_id, ordinal = row
            thresholds[event_id] = Threshold(
                event_id=event_id,
                regency=regency,
                said=AbsenceThresholdReached.model_validate_json(said),
                standing=state,
                retracted=retracted,
                case_id=case_id,
                ordinal=ordinal,
            )
        return CaseFile(Matters(thresholds))

    def fold(
        self,
        state: CaseFile,
        heard: Envelope,
        knowledge: None,
        last_seq: int,
        /,
    ) -> Sequence[NewEvent]:
        """Apply one threshold or retraction, and give the events that follow.

        Errors: LookupError for the retraction of an unknown threshold.
        """
        news = understood(heard)
        told = proposing.decide(news, state.matters)
        if not told:
            return []
        for event in (news, *told):
            after = proposing.evolve(state.matters, event)
            state.unwritten |= _different(state.matters, after)
            state.matters = after
        return [NewEvent(type(event), as_struct(event), heard.regency) for event in told]

    def changes(self, state: CaseFile, /) -> Iterable[tuple[str, Changes]]:
        """Give the row of every threshold that changed since it was last asked."""
        rows = [row for row in rows_of(state.matters) if row[1] in state.unwritten]
        state.unwritten = set()
        if rows:
            yield PROPOSALS.name, Changes(upserts=rows)


def understood(heard: Envelope) -> proposing.Heard:
    """Turn an envelope into the domain's input. Errors: LookupError for another kind."""
    kinds = {kind.type_name(): kind for kind in proposing.HEARS}
    said = kinds[heard.type].model_validate(heard.data, from_attributes=True)
    return proposing.Heard(heard.id, heard.regency, said)


def rows_of(matters: Matters) -> Iterable[Row]:
    """Give a person's rows of `proposals`, each in the order of the table's columns."""
    for heard, threshold in enumerate(matters.thresholds.values(), start=1):
        said = threshold.said
        yield (
            said.employee_id,
            threshold.event_id,
            heard,
            threshold.ordinal,
            threshold.case_id,
            said.employee_id,
            said.year,
            said.measure,
            said.days,
            said.tier.level,
            said.tier.sanction,
            said.tier.article,
            f"{said.rule_set.id}@{said.rule_set.version}",
            threshold.standing,
            threshold.retracted,
            threshold.regency,
            max(said.dates, default=None),
            said.model_dump_json().encode(),
        )


def _different(before: Matters, after: Matters) -> set[str]:
    """Name the thresholds that one event changed."""
    return {
        event_id
        for event_id, threshold in after.thresholds.items()
        if before.thresholds.get(event_id) is not threshold
    }
