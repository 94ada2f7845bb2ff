"""Mail by a real SMTP server, webhooks by a real HTTP server, and a sender that dies."""

import asyncio
import base64
import hashlib
import hmac
import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Thread
from typing import Any

import pytest

from services.notifications.channels.inbox import Inbox
from services.notifications.channels.port import Message, Refused, Taken, Trouble
from services.notifications.channels.smtp import Smtp, SmtpSettings
from services.notifications.channels.webhook import Webhook, WebhookSettings, client
from services.notifications.jobs import LEASE, Bucket, Job
from services.notifications.rendering import Text
from services.notifications.sender import Outlet
from tests.notifications.desk import MORNING, Desk, desk, rounds
from tests.notifications.examples import reached

SECRET = "whsec_" + base64.b64encode(b"a key that both sides know").decode()


class Mailbox:
    """What the SMTP server has taken."""

    def __init__(self, url: str, file: Path) -> None:
        self.url = url
        self.file = file

    def mails(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()]


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    """Start the SMTP server as a process; it ends with its standard input."""
    file = tmp_path / "mails"
    file.touch()
    command = [sys.executable, "-m", "tests.notifications.smtp_server", str(file)]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield Mailbox(f"smtp://127.0.0.1:{port}?from=Tertib <tertib@example.org>", file)


@pytest.fixture
async def at(database: str) -> AsyncIterator[Desk]:
    async with desk(database) as given:
        yield given


def message(address: str, subject: str = "Usulan: perkara A-2026") -> Message:
    job = Job(
        employee_id="A",
        notification_id="0190",
        recipient_id="A",
        role="employee",
        channel="mail",
        template="threshold-reached",
        details={},
        about_event_id="e",
        regency="53.01",
        tries=0,
        first_seen_at=MORNING,
    )
    return Message(job, "A", address, Text(subject, "Yth. Señora,\n\nDengan hormat."))


def smtp(mailbox: Mailbox) -> Smtp:
    return Smtp(SmtpSettings.of(mailbox.url), lambda: MORNING)


async def test_a_mail_arrives_with_an_id_that_follows_from_the_notice(mailbox: Mailbox) -> None:
    assert await smtp(mailbox).deliver(message("a@example.org")) == Taken()
    assert await smtp(mailbox).deliver(message("a@example.org")) == Taken()

    first, again = mailbox.mails()
    assert first["to"] == ["a@example.org"]
    assert first["headers"]["Message-ID"] == "<0190@example.org>"
    assert first["headers"]["Subject"] == "Usulan: perkara A-2026"
    assert first["headers"]["Date"] == "Mon, 02 Mar 2026 02:00:00 +0000"
    assert first["headers"]["Auto-Submitted"] == "auto-generated"
    assert first["text"].replace("\r\n", "\n") == "Yth. Señora,\n\nDengan hormat.\n"
    assert again == first


async def test_a_mailbox_that_is_not_there_is_a_refusal_and_a_busy_one_is_trouble(
    mailbox: Mailbox,
) -> None:
    assert await smtp(mailbox).deliver(message("refused@example.org")) == Refused("smtp_550")
    assert await smtp(mailbox).deliver(message("busy@example.org")) == Trouble("smtp_451")
    assert mailbox.mails() == []


@pytest.mark.parametrize("address", ["", "nobody", "a@example.org\r\nBcc: b@example.org"])
async def test_an_address_that_is_none_is_not_written_to(mailbox: Mailbox, address: str) -> None:
    assert await smtp(mailbox).deliver(message(address)) == Refused("address_unusable")
    assert mailbox.mails() == []


async def test_a_server_that_is_away_is_trouble() -> None:
    gone = SmtpSettings.of("smtp://127.0.0.1:1?from=tertib@example.org")

    answer = await Smtp(gone, lambda: MORNING).deliver(message("a@example.org"))

    assert answer == Trouble("smtp_unreachable")


@pytest.mark.parametrize(
    "url", ["", "smtp://host", "http://host?from=a@example.org", "smtp://?from=a@example.org"]
)
def test_an_unusable_smtp_address_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP"):
        SmtpSettings.of(url)


async def test_a_sender_killed_after_sending_repeats_once_under_the_same_id(
    at: Desk, database: str, mailbox: Mailbox
) -> None:
    """Nothing is lost, and whoever gets it twice can see that it is one."""
    plain = {"mail": {"kid": "k", "ct": "a@example.org"}}
    await at.pool.execute(
        "INSERT INTO read.persons VALUES ('A', $1, $2, '53.01', 'Asia/Makassar', false)",
        json.dumps({"kid": "k", "ct": "Person"}),
        json.dumps(plain),
    )
    await at.queue(reached(), "mail")
    (mail,) = [row["notification_id"] for row in await at.pool.fetch("TABLE read.notices")]

    code = await killed(database, mailbox.url)
    assert code == -signal.SIGKILL
    assert len(mailbox.mails()) == 1
    assert at.settled == []

    sent = await at.pool.fetchval("SELECT not_before FROM notifications.sending")
    at.now = sent
    again = at.sender(mail=Outlet(smtp(mailbox), Bucket(9, 9), is_quiet=True))
    again.opener = Plain()
    await rounds(again, "mail")
    await at.pass_time(LEASE)
    await rounds(again, "mail")

    ids = [each["headers"]["Message-ID"] for each in mailbox.mails()]
    assert ids == [f"<{mail}@example.org>"] * 2
    assert [each.attempts for each in at.settled] == [2]


async def test_a_sender_killed_after_the_inbox_took_it_leaves_one_entry(
    at: Desk, database: str, mailbox: Mailbox
) -> None:
    await at.pool.execute(
        "INSERT INTO read.persons VALUES ('A', NULL, '{}', '53.01', 'Asia/Makassar', false)"
    )
    await at.queue(reached(), "inbox")

    assert await killed(database, mailbox.url) == -signal.SIGKILL
    inbox = Inbox(at.pool)
    assert len(await inbox.entries("A")) == 1
    assert at.settled == []

    at.now = await at.pool.fetchval("SELECT not_before FROM notifications.sending")
    await rounds(at.sender(inbox=Outlet(inbox, Bucket(9, 9), is_quiet=True)), "inbox")

    assert len(await inbox.entries("A")) == 1
    assert [each.attempts for each in at.settled] == [2]


async def killed(database: str, smtp_url: str) -> int:
    """Run the sender that dies, and give how it ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.notifications.dying_sender", database, smtp_url
    )
    async with asyncio.timeout(30):
        return await process.wait()


class Plain:
    """Opens nothing: what stands there is the text."""

    async def open(self, sealed: Any, _employee_id: str, /) -> str | None:
        return str(sealed.ct)


class Gateway:
    """A gateway on this machine; it answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.requests: list[tuple[dict[str, str], bytes]] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                gateway.requests.append((headers, body))
                self.send_response(gateway.status)
                self.send_header("location", "http://elsewhere.example.org/")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    served = Gateway()
    thread = Thread(target=served.server.serve_forever)
    thread.start()
    yield served
    served.server.shutdown()
    served.server.server_close()
    thread.join()


async def posted(gateway: Gateway) -> object:
    settings = WebhookSettings(gateway.url, SECRET, frozenset({"127.0.0.1"}))
    async with client() as http:
        return await Webhook(settings, http, lambda: MORNING).deliver(message("+62 000"))


async def test_a_webhook_is_signed_so_that_the_gateway_can_check_it(gateway: Gateway) -> None:
    """Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, computed here by hand."""
    assert await posted(gateway) == Taken()

    ((headers, body),) = gateway.requests
    assert json.loads(body) == {
        "id": "0190",
        "to": "+62 000",
        "subject": "Usulan: perkara A-2026",
        "text": "Yth. Señora,\n\nDengan hormat.",
    }
    assert headers["webhook-id"] == "0190"
    assert headers["webhook-timestamp"] == "1772416800"
    key = b"a key that both sides know"
    digest = hmac.new(key, b"0190.1772416800." + body, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (204, Taken()),
        (302, Refused("webhook_302")),
        (400, Refused("webhook_400")),
        (410, Refused("webhook_410")),
        (429, Trouble("webhook_429")),
        (503, Trouble("webhook_503")),
    ],
)
async def test_the_gateways_answer_decides(gateway: Gateway, status: int, answer: object) -> None:
    """A redirect is not followed."""
    gateway.status = status

    assert await posted(gateway) == answer
    assert len(gateway.requests) == 1


async def test_a_gateway_that_is_away_is_trouble() -> None:
    settings = WebhookSettings("http://127.0.0.1:1/", SECRET, frozenset({"127.0.0.1"}))
    async with client() as http:
        answer = await Webhook(settings, http, lambda: MORNING).deliver(message("+62 000"))

    assert answer == Trouble("webhook_unreachable")


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("https://elsewhere.example.org/hook", SECRET),
        ("http://gateway.example.org/hook", SECRET),
        ("ftp://127.0.0.1/hook", SECRET),
        ("https://gateway.example.org/hook", "whsec_"),
        ("https://gateway.example.org/hook", "whsec_not base64"),
    ],
)
def test_a_webhook_goes_to_allowed_hosts_only_encrypted_and_signed(url: str, secret: str) -> None:
    with pytest.raises(ValueError, match=r"webhook|base64|Base64|padding|allowed|Incorrect|Only"):
        WebhookSettings(url, secret, frozenset({"gateway.example.org", "127.0.0.1"}))


async def test_a_webhook_waits_for_the_morning_as_mail_does(at: Desk, gateway: Gateway) -> None:
    at.now = MORNING + timedelta(hours=11)  # 21:00 in Makassar.
    await at.register("A", "Person", whatsapp="+62 000")
    await at.queue(reached(), "whatsapp")
    settings = WebhookSettings(gateway.url, SECRET, frozenset({"127.0.0.1"}))
    async with client() as http:
        sender = at.sender(whatsapp=Webhook(settings, http, lambda: at.now))
        await rounds(sender, "whatsapp")
        assert gateway.requests == []
        await at.pass_time(timedelta(hours=10))
        await rounds(sender, "whatsapp")

    assert len(gateway.requests) == 1
