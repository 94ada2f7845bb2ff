"""An inbox as its owner reads it: names are decrypted when it is read, and not stored."""

from dataclasses import dataclass
from typing import Any

import asyncpg

from services.notifications import rendering
from services.notifications.channels.inbox import Inbox
from services.notifications.resolving import KeyringOpener, Opener
from services.notifications.store import SenderStore
from shared.runtime.privacy.keyring import PostgresKeyring
from shared.runtime.settings import Settings


@dataclass(frozen=True)
class Letter:
    """One notice in the words of a language."""

    notification_id: str
    about_event_id: str
    subject: str
    body: str


async def read(
    settings: Settings, person_id: str, language: rendering.Language, limit: int
) -> list[Letter]:
    """Give the latest notices of a person, newest first; a forgotten person appears as an id.

    Errors: SettingsError without a keyring; those of the databases; sealing.UnsealableError.
    """
    url = settings.database_url("notifications")
    async with (
        asyncpg.create_pool(url, min_size=1, max_size=2) as pool,
        await PostgresKeyring.open(settings.keyring_url()) as keyring,
    ):
        return await _letters(pool, KeyringOpener(keyring), person_id, language, limit)


async def _letters(
    pool: "asyncpg.Pool[Any]",
    opener: Opener,
    person_id: str,
    language: rendering.Language,
    limit: int,
) -> list[Letter]:
    store = SenderStore(pool)
    letters: list[Letter] = []
    for entry in await Inbox(pool).entries(person_id, limit):
        names = {
            "recipient": await _name(store, opener, person_id),
            "name": await _name(store, opener, entry.employee_id),
            "about_event_id": entry.about_event_id,
        }
        text = rendering.render(entry.template, entry.details, names, language)
        letters.append(Letter(entry.notification_id, entry.about_event_id, *text))
    return letters


async def _name(store: SenderStore, opener: Opener, person_id: str) -> str:
    entry = await store.entry(person_id)
    if entry is None or entry.name is None:
        return person_id
    return await opener.open(entry.name, person_id) or person_id
