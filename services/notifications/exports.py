"""What `tertib export` gives of this service."""

from shared.runtime.export.tables import Export
from shared.runtime.export.writers import Column

NOTICES = Export(
    name="notices",
    service="notifications",
    sql="""
        SELECT notification_id, subject, recipient_id, role, channel, template, about_event_id,
               outcome, attempts, reason
        FROM read.notices
        WHERE ($1::text IS NULL OR regency = $1)
          AND $2::date IS NULL AND $3::date IS NULL
        ORDER BY subject, notification_id
    """,
    columns=(
        Column("notification_id"),
        Column("employee_id"),
        Column("recipient_id"),
        Column("role"),
        Column("channel"),
        Column("template"),
        Column("about_event_id"),
        Column("outcome"),
        Column("attempts", "integer"),
        Column("reason"),
    ),
)

EXPORTS = (NOTICES,)
