"""The proposals that a backfill would give: the same projection, driven in memory."""

from collections.abc import Iterable, Mapping, Sequence

from services.discipline import exports
from services.discipline.projections import PROPOSALS, Cases
from shared.events.envelope import Envelope
from shared.runtime.processing.in_memory import InMemoryProjection, Stage
from shared.runtime.projection import Row


class Proposals:
    """The stage of this service (`shared.runtime.processing.in_memory.Stage`)."""

    topics: Sequence[str] = Cases.topics

    def __init__(self) -> None:
        self._cases = InMemoryProjection(Cases(), keep_rows=True)

    def hear(self, event: Envelope, /) -> Sequence[Envelope]:
        """Apply one event of attendance, and give the events that follow."""
        return self._cases.hear(event)

    def tables(self) -> Mapping[str, tuple[Sequence[str], Iterable[Row]]]:
        """Give `proposals` as the export does: by person, then in the order said."""
        kept = [column.name for column in PROPOSALS.columns]
        rows = [dict(zip(kept, row, strict=True)) for row in self._cases.rows(PROPOSALS.name)]
        said = [row for row in rows if row["ordinal"] is not None]
        said.sort(key=lambda row: (row["subject"].encode(), row["ordinal"]))
        names = [column.name for column in exports.PROPOSALS.columns]
        table = names, [tuple(row[name] for name in names) for row in said]
        return {exports.PROPOSALS.name: table}


def stage() -> Stage:
    """Give a fresh stage: the entry point `tertib.preview`."""
    return Proposals()
