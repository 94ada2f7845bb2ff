"""Quiet hours: 07:00 to 20:00 where the recipient is."""

from datetime import UTC, datetime

import pytest

from services.notifications.quiet import send_after


@pytest.mark.parametrize(
    ("zone", "now", "after"),
    [
        # Makassar is eight hours ahead of UTC.
        ("Asia/Makassar", "2026-03-01T22:59:59", "2026-03-01T23:00:00"),
        ("Asia/Makassar", "2026-03-01T23:00:00", "2026-03-01T23:00:00"),
        ("Asia/Makassar", "2026-03-02T11:59:59", "2026-03-02T11:59:59"),
        ("Asia/Makassar", "2026-03-02T12:00:00", "2026-03-02T23:00:00"),
        # Midnight in Jakarta is 17:00 in UTC; in Jayapura it is 15:00, and 07:00 is yesterday.
        ("Asia/Jakarta", "2026-12-31T17:30:00", "2027-01-01T00:00:00"),
        ("Asia/Jayapura", "2026-12-31T21:30:00", "2026-12-31T22:00:00"),
    ],
)
def test_a_notice_waits_for_the_morning_of_its_recipient(zone: str, now: str, after: str) -> None:
    at, wanted = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (now, after))

    assert send_after(at, zone) == wanted
