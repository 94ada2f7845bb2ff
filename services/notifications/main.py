"""What the service is made of; the only module that knows the others."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

from services.notifications.channels.inbox import Inbox
from services.notifications.channels.smtp import Smtp, SmtpSettings
from services.notifications.channels.webhook import Webhook, WebhookSettings, client
from services.notifications.clock import wall_clock
from services.notifications.directory import Directory
from services.notifications.jobs import Bucket
from services.notifications.outcome_writer import OutcomeWriter
from services.notifications.projections import Planner
from services.notifications.resolving import KeyringOpener
from services.notifications.sender import Outlet, Sender
from services.notifications.store import SenderStore
from shared.events.notifications import Channel
from shared.runtime.hosting.service import Running, Service, launched
from shared.runtime.privacy.keyring import PostgresKeyring

# Messages a second, and at once. A flooded mail relay defers everything; a gateway costs money.
MAIL = 5.0, 20
WHATSAPP = 2.0, 5
INBOX = 10_000.0, 10_000  # A table of this service: no outside system is loaded by it.

CHANNELS: Sequence[Channel] = ("inbox", "mail", "whatsapp")
SOON = timedelta(seconds=2)
COUNTED = 1_000  # A caller needs to know whether any are due, not their exact number.


def build() -> Service:
    """Give the service."""
    return Service("notifications", [Planner, Directory], {"sender": send})


def launch() -> tuple[list[str], int]:
    """Say how the local stack starts it (entry point `tertib.services`)."""
    return launched("notifications")


async def work_left(store: SenderStore) -> Mapping[str, int]:
    """Count what is due, or will be in a moment: a recipient may be looked up again then."""
    soon = wall_clock() + SOON
    due = [len(await store.due(channel, soon, COUNTED)) for channel in CHANNELS]
    return {"due": sum(due)}


async def send(running: Running) -> None:
    """Deliver what is queued until the service stops.

    Errors: SettingsError without a keyring; ValueError for an address that cannot be used.
    """
    settings = running.settings
    async with AsyncExitStack() as closing:
        keyring = await closing.enter_async_context(
            await PostgresKeyring.open(settings.keyring_url())
        )
        store = SenderStore(running.pool)
        await store.prepare()
        running.parts["sender"] = partial(work_left, store)
        outlets: dict[Channel, Outlet] = {
            "inbox": Outlet(Inbox(running.pool), Bucket(*INBOX), is_quiet=True)
        }
        if settings.smtp_url:
            smtp = Smtp(SmtpSettings.of(settings.smtp_url), wall_clock)
            outlets["mail"] = Outlet(smtp, Bucket(*MAIL))
        if settings.webhook_url:
            where = WebhookSettings(
                settings.webhook_url, settings.webhook_secret or "", settings.webhook_hosts
            )
            http = await closing.enter_async_context(client())
            outlets["whatsapp"] = Outlet(Webhook(where, http, wall_clock), Bucket(*WHATSAPP))
        planner = running.runners[Planner.name]
        outcomes = OutcomeWriter(planner.store, wall_clock)
        sender = Sender(
            store, KeyringOpener(keyring), outlets, outcomes, settings.language, wall_clock
        )
        sender.stopping, sender.troubles = running.stopping, running.troubles
        await sender.run()
