"""A messaging gateway by webhook, signed after the Standard Webhooks specification.

The gateway is one of the operator's, on a list of allowed hosts. Redirects are not followed, and
the gateway recognises a repetition by its `webhook-id`.
"""

import base64
import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import msgspec

from services.notifications.channels.port import Delivery, Message, Refused, Taken, Trouble
from services.notifications.clock import Clock

SECONDS = 15
SECRET_PREFIX = "whsec_"  # noqa: S105  (how the specification marks a secret)
PASSING = {408, 425, 429}  # Refusals of the moment among the 4xx.


@dataclass(frozen=True, repr=False)
class WebhookSettings:
    """Where to post, with which key, and which hosts are allowed."""

    url: str
    secret: str
    hosts: frozenset[str]

    def __post_init__(self) -> None:
        """Refuse what must not be posted to. Errors: ValueError."""
        parts = urlsplit(self.url)
        if parts.hostname is None or parts.hostname not in self.hosts:
            message = "the webhook's host is not on the list of allowed hosts"
            raise ValueError(message)
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname)):
            message = "a webhook is posted by https, except on this machine"
            raise ValueError(message)
        if not self.key:
            message = "the webhook's secret is empty"
            raise ValueError(message)

    @property
    def key(self) -> bytes:
        """Give the bytes of the secret, which is `whsec_` and Base64. Errors: ValueError."""
        return base64.b64decode(self.secret.removeprefix(SECRET_PREFIX), validate=True)


class Webhook:
    """Posts a message as JSON: `id`, `to`, `subject`, `text`."""

    def __init__(self, settings: WebhookSettings, client: httpx.AsyncClient, clock: Clock) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock

    async def deliver(self, message: Message, /) -> Delivery:
        """Post it. Codes: `webhook_<status>`; `webhook_unreachable`."""
        id_ = message.job.notification_id
        body = msgspec.json.encode(
            {
                "id": id_,
                "to": message.address,
                "subject": message.text.subject,
                "text": message.text.body,
            }
        )
        timestamp = int(self._clock().timestamp())
        headers = {
            "content-type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._settings.key, id_, timestamp, body),
        }
        try:
            answer = await self._client.post(
                self._settings.url, content=body, headers=headers, follow_redirects=False
            )
        except (httpx.HTTPError, OSError):
            return Trouble("webhook_unreachable")
        reason = f"webhook_{answer.status_code}"
        if answer.is_success:
            return Taken()
        if answer.is_server_error or answer.status_code in PASSING:
            return Trouble(reason)
        return Refused(reason)  # A redirect too: the known gateway sends none.


def client() -> httpx.AsyncClient:
    """Give a client that takes no proxy and no password from the environment."""
    return httpx.AsyncClient(timeout=SECONDS, trust_env=False)


def signature(key: bytes, id_: str, timestamp: int, body: bytes) -> str:
    """Sign `id.timestamp.body` by HMAC-SHA256. Source: Standard Webhooks, version 1."""
    signed = b".".join((id_.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
