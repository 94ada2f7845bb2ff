"""Notices that arrive: once, in Indonesian, by mail and in the inbox."""

import json
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from tests.system.conftest import Mailbox
from tests.system.letters import ABSENT, CHIEF, MAIL, PRIVATE
from tests.system.whole import Row, Whole

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("office")]


def notices(whole: Whole, channel: str) -> list[Row]:
    """Give what was planned about the person who did not come."""
    return [
        row
        for row in whole.export("notices")
        if row["employee_id"] == ABSENT and row["channel"] == channel
    ]


def test_each_threshold_is_mailed_once_in_indonesian(
    whole: Whole, office: Path, mailbox: Mailbox
) -> None:
    """Also after the dataset is loaded again."""
    whole.backfill(office)
    mails = [mail for mail in mailbox.mails() if f"/attendance/{ABSENT}@" in mail["text"]]
    thresholds = [row for row in whole.export("thresholds") if row["employee_id"] == ABSENT]

    assert [mail["to"] for mail in mails] == [[MAIL], [MAIL]]
    assert [row["threshold_days"] for row in thresholds] == ["3", "4"]
    first, second = sorted(mails, key=lambda mail: str(mail["text"].split("ambang")[1]))
    assert "tanpa keterangan" in first["headers"]["Subject"]
    for mail, days in ((first, "3"), (second, "4")):
        assert f"Yth. {PRIVATE} {ABSENT}" in mail["text"]
        assert f"mencapai ambang {days} hari" in " ".join(mail["text"].split())
        assert "bukan hukuman disiplin" in mail["text"]
    assert len({mail["headers"]["Message-ID"] for mail in mails}) == 2
    told = [row for row in notices(whole, "mail") if row["recipient_id"] == ABSENT]
    assert [(row["outcome"], row["attempts"]) for row in told] == [("delivered", "1")] * 2


def test_a_channel_that_is_off_and_an_address_that_is_missing_are_said(whole: Whole) -> None:
    outcomes = Counter(
        (row["role"], row["channel"], row["outcome"], row["reason"])
        for channel in ("whatsapp", "mail")
        for row in notices(whole, channel)
    )

    assert outcomes[("employee", "whatsapp", "failed", "channel_off")] == 2
    assert outcomes[("superior", "mail", "failed", "no_address")] == 2


def test_an_inbox_is_read_by_command_in_both_languages(whole: Whole) -> None:
    mine = whole.tertib("inbox", ABSENT, columns=500).stdout
    english = json.loads(whole.tertib("inbox", ABSENT, "--lang", "en", "--json").stdout)
    chief = json.loads(whole.tertib("inbox", CHIEF, "--json").stdout)

    assert f"Yth. {PRIVATE} {ABSENT}" in mine
    assert mine.count("tanpa keterangan tahun 2026") == 2
    assert [f"Dear {PRIVATE}" in letter["body"] for letter in english] == [True, True]
    about = [letter for letter in chief if f"/{ABSENT}@" in letter["about_event_id"]]
    assert [f"{PRIVATE} {ABSENT}" in letter["body"] for letter in about] == [True, True]
    assert "nothing was sent" in whole.tertib("inbox", "LTR-99").stderr


async def test_the_inboxes_hold_what_their_owners_must_know(whole: Whole) -> None:
    connection = await asyncpg.connect(whole.environment()["TERTIB_NOTIFICATIONS_DATABASE_URL"])
    try:
        rows = await connection.fetch(
            "SELECT person_id, template, count(*) FROM notifications.inbox"
            " WHERE employee_id = $1 GROUP BY 1, 2",
            ABSENT,
        )
    finally:
        await connection.close()

    assert {tuple(row) for row in rows} == {
        (ABSENT, "threshold-reached", 2),
        (CHIEF, "sanction-proposed", 2),
    }
