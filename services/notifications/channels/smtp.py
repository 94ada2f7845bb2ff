"""Mail by SMTP. A repetition has the same Message-ID, so that a mailbox can recognise it."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from services.notifications.channels.port import Delivery, Message, Refused, Taken, Trouble
from services.notifications.clock import Clock

SECONDS = 30  # For connecting and for each answer: long enough for a slow relay.
SMTP_PORT = 587
PERMANENT = 500
OURS = (530, 534, 535)  # Failed authentication: temporary, as the operator can correct it.


@dataclass(frozen=True, repr=False)
class SmtpSettings:
    """The mail relay. Its address contains the account, so it is never shown."""

    host: str
    port: int
    sender: str
    username: str | None = None
    password: str | None = None
    use_tls: bool = False
    start_tls: bool | None = None

    @classmethod
    def of(cls, url: str) -> "SmtpSettings":
        """Read `smtp://user:password@host:587?from=address&starttls=yes|no`, or `smtps://…`.

        Without `starttls`, TLS is used if the server offers it. Errors: ValueError.
        """
        parts = urlsplit(url)
        options = parse_qs(parts.query)
        sender = options.get("from", [""])[0]
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or "@" not in sender:
            message = "an SMTP address is smtp(s)://host:port?from=address"
            raise ValueError(message)
        wish = options.get("starttls", [""])[0]
        return cls(
            host=parts.hostname,
            port=parts.port or SMTP_PORT,
            sender=sender,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            use_tls=parts.scheme == "smtps",
            start_tls={"yes": True, "no": False}.get(wish),
        )


class Smtp:
    """Hands mail to a relay, one connection a message."""

    def __init__(self, settings: SmtpSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    async def deliver(self, message: Message, /) -> Delivery:
        """Send it. Codes: `smtp_<code>`; `smtp_unreachable`; `address_unusable`."""
        recipient = parseaddr(message.address)[1]
        if "@" not in recipient:
            return Refused("address_unusable")
        try:
            mail = mail_of(message, self._settings.sender, self._clock())
        except ValueError:  # A line end in an address or a subject: never sent as it is.
            return Refused("address_unusable")
        try:
            await self._hand_in(mail, recipient)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            return _answer(refused.recipients[0].code)
        except aiosmtplib.SMTPResponseException as answer:
            return _answer(answer.code)
        except (aiosmtplib.SMTPException, OSError):
            return Trouble("smtp_unreachable")
        return Taken()

    async def _hand_in(self, mail: EmailMessage, recipient: str) -> None:
        settings = self._settings
        await aiosmtplib.send(
            mail,
            sender=parseaddr(settings.sender)[1],
            recipients=[recipient],
            hostname=settings.host,
            port=settings.port,
            username=settings.username,
            password=settings.password,
            use_tls=settings.use_tls,
            start_tls=settings.start_tls,
            timeout=SECONDS,
        )


def mail_of(message: Message, sender: str, now: datetime) -> EmailMessage:
    """Make the mail. Its Message-ID follows from the notice alone.

    Errors: ValueError for a line end where none may be.
    """
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = message.address
    mail["Subject"] = message.text.subject
    mail["Date"] = format_datetime(now)
    domain = parseaddr(sender)[1].rpartition("@")[2]
    mail["Message-ID"] = f"<{message.job.notification_id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no machine answers a machine.
    mail.set_content(message.text.body + "\n")
    return mail


def _answer(code: int) -> Delivery:
    """Give Refused for a permanent error (5xx), else Failed; a failed login is never permanent."""
    reason = f"smtp_{code}"
    return Refused(reason) if code >= PERMANENT and code not in OURS else Trouble(reason)
