"""The sender on a real PostgreSQL: who is written to, when, how often, and what is given up."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.notifications.channels.inbox import Inbox
from services.notifications.channels.port import Delivery, Message, Refused, Taken, Trouble
from services.notifications.domain import Delivered, Failed
from services.notifications.jobs import (
    LEASE,
    LONGEST_WAIT,
    TRIES,
    WAIT_FOR_QUEUE,
    Bucket,
    pause_after,
)
from services.notifications.sender import Outlet
from shared.events.sealing import person_kid
from shared.runtime.observability import log
from tests.kit.logs import restored
from tests.notifications.desk import Desk, desk, rounds
from tests.notifications.examples import proposed, reached


class FakeChannel:
    """Takes what it is given, or answers as it was told to."""

    def __init__(self, *answers: Delivery) -> None:
        self.answers = list(answers)
        self.messages: list[Message] = []

    async def deliver(self, message: Message, /) -> Delivery:
        self.messages.append(message)
        return self.answers.pop(0) if self.answers else Taken()


@pytest.fixture
async def at(database: str) -> AsyncIterator[Desk]:
    async with desk(database) as given:
        yield given


async def test_a_notice_is_worded_for_its_recipient_and_delivered(at: Desk) -> None:
    await at.register("A", "Person Concerned")
    await at.register("chief", "Direct Superior", mail="chief@example.org")
    (notice, *_) = await at.queue(proposed(unit_id=None), "mail")
    mail = FakeChannel()

    await rounds(at.sender(mail=mail), "mail")

    (message,) = mail.messages
    assert message.address == "chief@example.org"
    assert "Direct Superior" in message.text.body
    assert "Nama: Person Concerned" in message.text.body
    assert at.settled == [Delivered("A", notice.notification_id, 1)]
    assert "example" not in repr(message)


async def test_what_is_delivered_is_not_delivered_again(at: Desk) -> None:
    await at.register("A", "Person", mail="a@example.org")
    await at.queue(reached(), "mail")
    mail = FakeChannel()

    for _ in range(3):
        await rounds(at.sender(mail=mail), "mail")
        await at.pass_time(timedelta(days=1))

    assert len(mail.messages) == 1


async def test_a_notice_waits_while_the_directory_does_not_know_the_recipient(at: Desk) -> None:
    await at.queue(reached(), "mail")
    mail = FakeChannel()
    await rounds(at.sender(mail=mail), "mail")
    assert (mail.messages, at.settled) == ([], [])

    await at.register("A", "Person", mail="a@example.org")
    await rounds(at.sender(mail=mail), "mail")
    assert mail.messages == []  # Not looked at again at once.
    await at.pass_time(timedelta(seconds=1))
    await rounds(at.sender(mail=mail), "mail")

    assert len(mail.messages) == 1


async def test_a_superior_who_never_appears_is_given_up_in_the_end(at: Desk) -> None:
    """A17: an unknown supervisor is loaded with a warning."""
    await at.register("A", "Person")
    await at.queue(proposed(unit_id=None), "mail")
    mail = FakeChannel()
    await rounds(at.sender(mail=mail), "mail")

    await at.pass_time(LONGEST_WAIT - timedelta(seconds=1))
    await rounds(at.sender(mail=mail), "mail")
    assert at.settled == []
    await at.pass_time(timedelta(hours=1))
    await rounds(at.sender(mail=mail), "mail")

    assert [command.reason for command in at.settled if isinstance(command, Failed)] == [
        "unknown_recipient"
    ]


async def test_who_is_known_without_an_address_gets_no_mail(at: Desk) -> None:
    await at.register("A", "Person", whatsapp="+62 000")
    await at.queue(reached(), "mail")

    await rounds(at.sender(mail=FakeChannel()), "mail")

    assert [each.reason for each in at.settled if isinstance(each, Failed)] == ["no_address"]


async def test_a_channel_that_is_off_is_said_to_be(at: Desk) -> None:
    await at.register("A", "Person", mail="a@example.org")
    await at.queue(reached(), "mail")

    await rounds(at.sender(), "mail")

    assert [each.reason for each in at.settled if isinstance(each, Failed)] == ["channel_off"]


@pytest.mark.parametrize("by_key", [True, False])
async def test_nothing_is_written_to_or_about_who_is_forgotten(at: Desk, *, by_key: bool) -> None:
    """The key is gone at once; the directory hears of it when its topic says so."""
    await at.register("A", "Person", mail="a@example.org", forgotten=not by_key)
    await at.register("chief", "Superior", mail="chief@example.org")
    if by_key:
        await at.keyring.forget(person_kid("A"))
    await at.queue(reached(), "mail")
    await at.queue(proposed(unit_id=None), "mail")
    mail = FakeChannel()

    await rounds(at.sender(mail=mail), "mail")

    assert mail.messages == []
    assert [each.reason for each in at.settled if isinstance(each, Failed)] == ["forgotten"] * 2


async def test_the_head_of_the_unit_is_who_heads_it_at_sending(at: Desk) -> None:
    await at.register("A", "Person")
    await at.register("head", "Head", mail="head@example.org")
    await at.put_head("A", "U", "head")
    await at.queue(proposed(supervisor_id=None), "mail")
    mail = FakeChannel()

    await rounds(at.sender(mail=mail), "mail")

    assert [message.address for message in mail.messages] == ["head@example.org"]


@pytest.mark.parametrize(
    ("head", "reason"), [(None, "no_recipient"), ("A", "is_concerned"), ("chief", "already_told")]
)
async def test_a_head_who_is_nobody_or_told_anyway_is_not_told_twice(
    at: Desk, head: str | None, reason: str
) -> None:
    await at.register("A", "Person")
    await at.register("chief", "Superior", mail="chief@example.org")
    await at.put_head("A", "U", head)
    await at.queue(proposed(), "mail")
    mail = FakeChannel()

    await rounds(at.sender(mail=mail), "mail")

    assert len(mail.messages) == 1
    assert [each.reason for each in at.settled if isinstance(each, Failed)] == [reason]


async def test_mail_waits_for_the_morning_and_the_inbox_does_not(at: Desk) -> None:
    at.now = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)  # 20:30 in Makassar.
    await at.register("A", "Person", mail="a@example.org")
    await at.queue(reached(), "mail", "inbox")
    mail = FakeChannel()
    inbox = Outlet(Inbox(at.pool), Bucket(1000, 1000), is_quiet=True)
    sender = at.sender(mail=mail, inbox=inbox)

    await rounds(sender, "inbox")
    await rounds(sender, "mail")
    assert (len(at.settled), mail.messages) == (1, [])
    at.now = datetime(2026, 3, 2, 22, 59, 59, tzinfo=UTC)
    await rounds(sender, "mail")
    assert mail.messages == []
    at.now = datetime(2026, 3, 2, 23, 0, tzinfo=UTC)
    await rounds(sender, "mail")

    assert len(mail.messages) == 1


async def test_trouble_is_tried_again_with_growing_pauses(at: Desk) -> None:
    await at.register("A", "Person", mail="a@example.org")
    await at.queue(reached(), "mail")
    mail = FakeChannel(Trouble("smtp_451"), Trouble("smtp_unreachable"))
    sender = at.sender(mail=mail)

    await rounds(sender, "mail")
    assert len(mail.messages) == 1
    await at.pass_time(pause_after(1) - timedelta(seconds=1))
    await rounds(sender, "mail")
    assert len(mail.messages) == 1
    await at.pass_time(timedelta(seconds=1))
    await rounds(sender, "mail")
    assert len(mail.messages) == 2
    await at.pass_time(pause_after(2))
    await rounds(sender, "mail")

    assert [type(each).__name__ for each in at.settled] == ["Delivered"]
    assert at.settled[0].attempts == 3


async def test_tries_end(at: Desk) -> None:
    at.now = datetime(2026, 3, 2, 0, tzinfo=UTC)
    await at.register("A", "Person", mail="a@example.org")
    await at.queue(reached(), "mail")
    mail = FakeChannel(*[Trouble("smtp_451")] * (TRIES + 1))

    for _ in range(TRIES + 2):
        await rounds(at.sender(mail=mail), "mail")
        await at.pass_time(timedelta(days=1))

    assert len(mail.messages) == TRIES
    assert [(each.reason, each.attempts) for each in at.settled if isinstance(each, Failed)] == [
        ("tries_used_up", TRIES)
    ]


async def test_a_refusal_is_not_tried_again(at: Desk) -> None:
    await at.register("A", "Person", mail="a@example.org")
    await at.queue(reached(), "mail")
    mail = FakeChannel(Refused("smtp_550"))

    await rounds(at.sender(mail=mail), "mail")
    await at.pass_time(timedelta(days=1))
    await rounds(at.sender(mail=mail), "mail")

    assert len(mail.messages) == 1
    assert [each.reason for each in at.settled if isinstance(each, Failed)] == ["smtp_550"]


async def test_a_rate_is_kept_and_the_rest_goes_later(at: Desk) -> None:
    for person in "ABC":
        await at.register(person, person, mail=f"{person}@example.org")
        await at.queue(reached(f"/attendance/{person}@9", person), "mail")
    mail = FakeChannel()
    sender = at.sender(mail=Outlet(mail, Bucket(rate=0.001, burst=2)))

    await rounds(sender, "mail")

    assert len(mail.messages) == 2
    assert len(at.settled) == 2


async def test_a_bug_in_one_message_does_not_stop_the_others(at: Desk) -> None:
    class Breaks(FakeChannel):
        async def deliver(self, message: Message, /) -> Delivery:
            if message.person_id == "A":
                raise ZeroDivisionError
            return await super().deliver(message)

    for person in "AB":
        await at.register(person, person, mail=f"{person}@example.org")
        await at.queue(reached(f"/attendance/{person}@9", person), "mail")
    mail = Breaks()

    await rounds(at.sender(mail=mail), "mail")

    assert [message.person_id for message in mail.messages] == ["B"]


async def test_two_senders_deliver_each_notice_once(at: Desk) -> None:
    for number in range(20):
        person = f"P{number}"
        await at.register(person, person, mail=f"{person}@example.org")
        await at.queue(reached(f"/attendance/{person}@9", person), "mail")
    mail = FakeChannel()

    await asyncio.gather(*(rounds(at.sender(mail=mail), "mail") for _ in range(3)))

    assert len(mail.messages) == len({m.job.notification_id for m in mail.messages}) == 20


async def test_what_a_dead_sender_had_begun_is_taken_up_when_its_lease_is_over(at: Desk) -> None:
    await at.register("A", "Person", mail="a@example.org")
    await at.queue(reached(), "mail")
    mail = FakeChannel()
    store = at.sender(mail=mail).store
    (job,) = await store.due("mail", at.now, 10)
    assert await store.begin(job, at.now, at.now + LEASE) == 1

    await rounds(at.sender(mail=mail), "mail")
    assert mail.messages == []
    await at.pass_time(LEASE)
    await rounds(at.sender(mail=mail), "mail")

    assert [command.attempts for command in at.settled] == [2]


async def test_who_waits_for_a_decision_is_written_to_after_it(at: Desk) -> None:
    """What became of a notice cannot be told meanwhile, and what is not told is sent again."""
    for person in "AB":
        await at.register(person, person, mail=f"{person}@example.org")
        await at.queue(reached(f"/attendance/{person}@9", person), "mail")
    mail = FakeChannel()
    await at.park("A")

    await rounds(at.sender(mail=mail), "mail")
    assert [message.person_id for message in mail.messages] == ["B"]
    await at.park("A", parked=False)
    await at.pass_time(WAIT_FOR_QUEUE)
    await rounds(at.sender(mail=mail), "mail")

    assert [message.person_id for message in mail.messages] == ["B", "A"]


async def test_the_inbox_holds_no_name_and_a_repeat_changes_nothing(at: Desk) -> None:
    await at.register("A", "Person Concerned")
    await at.queue(reached(), "inbox")
    inbox = Inbox(at.pool)
    sender = at.sender(inbox=inbox)
    (job,) = await sender.store.due("inbox", at.now, 10)

    await sender.attempt(job)
    await at.pass_time(LEASE)
    await sender.attempt(job)

    (entry,) = await inbox.entries("A")
    assert (entry.template, entry.details["days"]) == ("threshold-reached", "3")
    assert await inbox.entries("B") == []
    assert "Concerned" not in str(await at.pool.fetch("SELECT * FROM notifications.inbox"))


async def test_it_runs_until_it_is_stopped(at: Desk) -> None:
    await at.register("A", "Person")
    sender = at.sender(inbox=Outlet(Inbox(at.pool), Bucket(1000, 1000), is_quiet=True))
    running = asyncio.create_task(sender.run())
    await at.queue(reached(), "inbox")

    async with asyncio.timeout(5):
        await at.happened.wait()
    sender.stopping.set()
    async with asyncio.timeout(5):
        await running


async def test_what_is_logged_names_the_notice_and_its_chain_and_no_person(at: Desk) -> None:
    out = io.StringIO()
    await at.register("A", "Canary Personname", mail="canary@example.org")
    (notice, *_) = await at.queue(reached(), "mail")
    with restored():
        log.configure("json", out)
        await rounds(at.sender(mail=FakeChannel(Trouble("busy"))), "mail")

    (line,) = map(json.loads, out.getvalue().splitlines())
    assert (line["event"], line["reason"], line["tries"]) == ("delivery_postponed", "busy", 1)
    assert line["notification_id"] == notice.notification_id
    assert line["causation_id"] == line["correlation_id"] == notice.about_event_id
    assert "canary" not in out.getvalue().lower()
