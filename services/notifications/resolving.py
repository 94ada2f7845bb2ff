"""From a job to a recipient: the person, the address, and the names for the text.

What is looked up here is used once: it is neither stored nor logged.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from services.notifications.jobs import Job
from services.notifications.store import Entry, SenderStore
from shared.events.attendance import EmployeeRegistered
from shared.events.base import Sealed
from shared.events.sealing import UnsealableError, place_of, unseal
from shared.runtime.privacy.keyring import Keyring


class Unknown(NamedTuple):
    """The directory does not know the person yet: it is filled from another topic."""


class Impossible(NamedTuple):
    """The notice can never be delivered. `reason` is a code."""

    reason: str


@dataclass(frozen=True, repr=False)
class Recipient:
    """A person who can be written to. `timezone` is that of the person's regency."""

    person_id: str
    address: str
    timezone: str
    called: str
    about: str  # How the person concerned is called.


class Opener(Protocol):
    """Decrypts what is sealed under a person's key."""

    async def open(self, sealed: Sealed, employee_id: str, /) -> str | None:
        """Give the text; None: the person is forgotten. Errors: UnsealableError."""


class KeyringOpener:
    """Decrypts with the keyring, one look-up for each value: a key is never kept in memory."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def open(self, sealed: Sealed, employee_id: str, /) -> str | None:
        """Give the text; None: the key is destroyed. Errors: UnsealableError without key."""
        keys = await self._keyring.keys_of([sealed.kid])
        if sealed.kid not in keys:
            message = f"the keyring has no key {sealed.kid}"
            raise UnsealableError(message)
        key = keys[sealed.kid]
        if key is None:
            return None
        return unseal(key, sealed, place_of(EmployeeRegistered.type_name(), employee_id))


async def resolve(
    job: Job, store: SenderStore, opener: Opener
) -> Recipient | Unknown | Impossible:
    """Find the recipient of a job.

    Codes: `no_recipient`, `is_concerned`, `already_told`, `forgotten`, `no_address`.
    Errors: UnsealableError; those of the database and the keyring.
    """
    person_id = await _person_of(job, store)
    if not isinstance(person_id, str):
        return person_id
    about = await store.entry(job.employee_id)
    entry = about if person_id == job.employee_id else await store.entry(person_id)
    if entry is None or about is None or entry.timezone is None:
        return Unknown()
    if entry.forgotten or about.forgotten:
        return Impossible("forgotten")
    return await _opened(job, person_id, entry, about, opener)


async def _opened(
    job: Job, person_id: str, entry: Entry, about: Entry, opener: Opener
) -> Recipient | Impossible:
    """Decrypt the names and the address."""
    address: str | None = ""
    if job.channel != "inbox":
        sealed = entry.contacts.get(job.channel)
        if sealed is None:
            return Impossible("no_address")
        address = await opener.open(sealed, person_id)
    called = await opener.open(entry.name, person_id) if entry.name else person_id
    named = await opener.open(about.name, job.employee_id) if about.name else job.employee_id
    if address is None or called is None or named is None:
        return Impossible("forgotten")
    return Recipient(person_id, address, entry.timezone or "", called, named)


async def _person_of(job: Job, store: SenderStore) -> str | Unknown | Impossible:
    """Give the person of the role. The head of a unit is looked up now, not when planned."""
    if job.role != "unit_head":
        return job.recipient_id
    head = await store.head(job.employee_id, job.recipient_id)
    if head is None:
        return Unknown()
    if head is False:
        return Impossible("no_recipient")
    if head == job.employee_id:
        return Impossible("is_concerned")  # No person is asked to act on their own case.
    if await store.superior_is_told(job, head):
        return Impossible("already_told")
    return head
