"""What `tertib export` gives of this service."""

from shared.runtime.export.tables import Export
from shared.runtime.export.writers import Column

PROPOSALS = Export(
    name="proposals",
    service="discipline",
    sql="""
        SELECT case_id, employee_id, year, measure, days, level, sanction, article, rule_set, state
        FROM read.proposals
        WHERE ordinal IS NOT NULL
          AND ($1::text IS NULL OR regency = $1)
          AND ($2::date IS NULL OR last_on >= $2)
          AND ($3::date IS NULL OR last_on <= $3)
        ORDER BY subject, ordinal
    """,
    columns=(
        Column("case_id"),
        Column("employee_id"),
        Column("year", "integer"),
        Column("measure"),
        Column("days", "integer"),
        Column("level"),
        Column("sanction"),
        Column("article"),
        Column("rule_set"),
        Column("state"),
    ),
)

EXPORTS = (PROPOSALS,)
