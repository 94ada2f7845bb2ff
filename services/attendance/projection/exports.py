"""What `tertib export` gives of this service."""

from shared.runtime.export.tables import Export
from shared.runtime.export.writers import Column

ASSESSMENTS = Export(
    name="assessments",
    service="attendance",
    sql="""
        SELECT subject, day, status, late_minutes, early_minutes, missed, excuse_id, revision
        FROM read.workdays
        WHERE status IS NOT NULL
          AND ($1::text IS NULL OR regency = $1)
          AND ($2::date IS NULL OR day >= $2)
          AND ($3::date IS NULL OR day <= $3)
        ORDER BY subject, day
    """,
    columns=(
        Column("employee_id"),
        Column("date", "date"),
        Column("status"),
        Column("late_minutes", "integer"),
        Column("early_minutes", "integer"),
        Column("missed", "list"),
        Column("excuse_id"),
        Column("revision", "integer"),
    ),
)

THRESHOLDS = Export(
    name="thresholds",
    service="attendance",
    sql="""
        SELECT subject, year, measure, threshold_days, days, state, dates
        FROM read.thresholds
        WHERE ($1::text IS NULL OR regency = $1)
          AND ($2::date IS NULL OR last_on >= $2)
          AND ($3::date IS NULL OR last_on <= $3)
        ORDER BY subject, seq
    """,
    columns=(
        Column("employee_id"),
        Column("year", "integer"),
        Column("measure"),
        Column("threshold_days", "integer"),
        Column("days", "integer"),
        Column("state"),
        Column("dates", "list"),
    ),
)

EXPORTS = (ASSESSMENTS, THRESHOLDS)
