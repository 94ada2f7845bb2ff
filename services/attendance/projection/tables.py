"""The assessor's tables, and the queries that bring a person back from them."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Date, Integer, LargeBinary, MetaData, Table, Text

from services.attendance.domain.loaded_days import MARGIN
from shared.runtime.projection import Load

TABLES = MetaData()

FACTS = Table(
    "facts",
    TABLES,
    Column("subject", Text(collation="C"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("fact_id", Text, nullable=False),
    Column("recorded", Text, nullable=False, comment="recordedtime: when it became known"),
    Column("data", LargeBinary, nullable=False, comment="canonical JSON; personal values sealed"),
)
WORKDAYS = Table(
    "workdays",
    TABLES,
    Column("subject", Text(collation="C"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("punches", LargeBinary, comment="{id: instant} heard on this date at UTC+8"),
    Column("check_ins", LargeBinary, comment="ids attributed; null: those of `punches`"),
    Column("status", Text, comment="null: nothing was said of the day yet"),
    Column("late_minutes", Integer),
    Column("early_minutes", Integer),
    Column("missed", Text),
    Column("excuse_id", Text),
    Column("revision", Integer),
    Column("window_from", Date),
    Column("employment", Text),
    Column("regency", Text),
    Column("unit_id", Text),
    Column("schedule_id", Text),
    Column("rules", Text),
    Column("converts", Integer),
    Column("seq", BigInteger),
    Column("recorded", Text, comment="when the fact that made it read so became known"),
)
THRESHOLDS = Table(
    "thresholds",
    TABLES,
    Column("subject", Text(collation="C"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, comment="subjectseq of the event that said it"),
    Column("measure", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("employment_class", Text, nullable=False),
    Column("threshold_days", Integer, nullable=False),
    Column("days", Integer, nullable=False),
    Column("dates", Text, nullable=False),
    Column("regency", Text, nullable=False),
    Column("last_on", Date),
    Column("sanction", Text, nullable=False),
    Column("article", Text, nullable=False),
    Column("state", Text, nullable=False),
)

KEPT_DAYS = 45  # Details kept in memory: evidence windows and ordinary late punches fit in.
_DETAILS = (
    (
        "SELECT w.*, f.floor FROM {schema}.workdays w JOIN ("
        "SELECT subject, LEAST(max(day) - 45, min(day) FILTER (WHERE status = 'pending')) AS floor"
        " FROM {schema}.workdays WHERE subject = ANY($1) GROUP BY subject) f USING (subject)"
        " WHERE w.subject = ANY($1) AND w.day >= f.floor - 3 ORDER BY w.subject, w.day"
    )
    .replace("45", str(KEPT_DAYS))
    .replace("- 3", f"- {MARGIN}")
)
_OLDER = (
    "SELECT w.*, DATE '{floor}' FROM {schema}.workdays w WHERE w.subject = ANY($1)"
    " AND w.day >= DATE '{floor}' - 3 AND w.day < '{last}' ORDER BY w.subject, w.day"
).replace("- 3", f"- {MARGIN}")
LOADS = (
    Load(
        "facts",
        "SELECT subject, kind, fact_id, data FROM {schema}.facts"
        " WHERE subject = ANY($1) ORDER BY subject, ordinal",
    ),
    Load(
        "history",
        "SELECT subject, array_agg(day ORDER BY day), array_agg(status ORDER BY day),"
        " array_agg(rules ORDER BY day), array_agg(employment ORDER BY day),"
        " array_agg(converts ORDER BY day), array_agg(seq ORDER BY day)"
        " FROM {schema}.workdays WHERE subject = ANY($1) AND status IS NOT NULL GROUP BY subject",
    ),
    Load("workdays", _DETAILS),
    Load(
        "thresholds",
        "SELECT * FROM {schema}.thresholds WHERE subject = ANY($1) ORDER BY subject, seq",
    ),
)


@dataclass(frozen=True)
class Older(Load):
    """The rows of days below a person's floor; after them the person is in memory from `floor`."""

    floor: int


def older(first: str, last: str, floor: int) -> Older:
    """Name the rows of the days from `first` up to `last`, and what a punch needs before them."""
    sql = _OLDER.replace("{floor}", first).replace("{last}", last)
    return Older("workdays", sql, floor)
