"""What is written of facts in one transaction: checked at once, numbered, written at its end."""

from collections.abc import Collection, Sequence

import asyncpg
import structlog
from msgspec.structs import replace

from shared.events.envelope import Envelope, canonical
from shared.runtime.broadcast import known_facts, locks
from shared.runtime.broadcast.conflicts import (
    BESIDE,
    ConflictingBroadcastError,
    ConflictingFactError,
    content_of,
    of_broadcasts,
    of_facts,
)
from shared.runtime.broadcast.known_facts import Broadcast
from shared.runtime.kafka.topics import RECORD_BYTES
from shared.runtime.observability import correlation
from shared.runtime.storage.outbox_writer import copy_events
from shared.runtime.storage.schema import FACTS

log = structlog.get_logger()


class TooLargeError(ValueError):
    """A fact is larger than a record may be; nothing of the transaction is written."""


class FactsTransaction:
    """What is written in one transaction. `connection` is for what belongs to it of a service's.

    `xid`: known once something was written, else None; it is published when the relay has passed
    it.
    """

    def __init__(
        self,
        connection: asyncpg.Connection,
        topic: str,
        shared: Collection[str],
        exclusive: Collection[str],
    ) -> None:
        self.connection = connection
        self.xid: int | None = None
        self._topic = topic
        self._exclusive = frozenset(exclusive)
        self._locked = self._exclusive.union(shared)
        self._rows: list[tuple[str, str | None, str, str, bytes]] = []
        self._broadcasts: dict[str, Broadcast] = {}
        self._contents: dict[str, bytes | None] = {}

    async def broadcast(self, envelopes: Sequence[Envelope]) -> int:
        """Give new broadcasts their numbers, in this order; give how many were new.

        A known id with equal data keeps its number and bytes, and is not sent again. Errors:
        ConflictingBroadcastError for a known id with other data, TooLargeError; ValueError if a
        regency is not locked exclusively.
        """
        self._refuse_unlocked(envelopes, self._exclusive)
        asked = list({each.id for each in envelopes} - self._broadcasts.keys())
        known = await known_facts.broadcasts_among(self.connection, asked) | self._broadcasts
        last = len(self._broadcasts) + await known_facts.last_number(self.connection)
        new: dict[str, Broadcast] = {}
        for each in envelopes:
            old = known.get(each.id) or new.get(each.id)
            if old is None:
                number = last + len(new) + 1
                value = written(replace(each, broadcastseq=number))
                new[each.id] = Broadcast(number, each.id, each.type, each.regency, value)
            else:
                beside = each.id in new or each.id in self._broadcasts
                self._refuse_other(old, each, beside=beside)
        self._broadcasts |= new
        self._rows += [(self._topic, None, b.id, b.type, b.value) for b in new.values()]
        return len(new)

    async def publish(self, envelopes: Sequence[Envelope]) -> int:
        """Write keyed facts in this order, each id once; give how many were new.

        Errors: ConflictingFactError for a known id with other clear content, TooLargeError;
        ValueError if a regency is not locked.
        """
        fresh = await self.unknown(envelopes)
        for each, value in fresh:
            self._rows.append((self._topic, each.subject, each.id, each.type, value))
        return len(fresh)

    async def unknown(self, envelopes: Sequence[Envelope]) -> list[tuple[Envelope, bytes]]:
        """Give those with new ids, each once, and their bytes; they count as known from here on.

        For who sends them past the outbox before the transaction ends (`bulk`).
        Errors: as `publish`.
        """
        self._refuse_unlocked(envelopes, self._locked)
        named = {each.id for each in envelopes if content_of(each) is not None}
        await locks.of_ids(self.connection, named)
        asked = list({each.id for each in envelopes} - self._contents.keys())
        known = await known_facts.facts_among(self.connection, asked) | self._contents
        fresh: list[tuple[Envelope, bytes]] = []
        contents: dict[str, bytes | None] = {}
        for each in envelopes:
            if each.id in known:
                _refuse_other_fact(each, known[each.id])
            else:
                fresh.append((each, written(each)))
                known[each.id] = contents[each.id] = content_of(each)
        self._contents |= contents  # Not before all are good: an id that is noted is never sent.
        return fresh

    async def first_and_last(
        self, type_: str, regencies: Collection[str]
    ) -> dict[str, tuple[bytes, bytes]]:
        """Give the first and the last broadcast of a type that others wrote, by regency."""
        return await known_facts.first_and_last(self.connection, type_, regencies)

    async def write(self) -> None:
        """Write everything that was collected, last of all: an open `xid` holds the relay back."""
        if self._broadcasts:
            await known_facts.note_broadcasts(self.connection, [*self._broadcasts.values()])
        if self._contents:
            await known_facts.note_facts(self.connection, self._contents)
        if self._rows:
            await copy_events(self.connection, self._rows, FACTS)
            self.xid = await self.connection.fetchval("SELECT pg_current_xact_id()")

    def _refuse_unlocked(self, envelopes: Sequence[Envelope], locked: frozenset[str]) -> None:
        unlocked = {each.regency for each in envelopes} - locked
        if unlocked:
            message = f"not locked for what is written: {', '.join(sorted(unlocked))}"
            raise ValueError(message)

    def _refuse_other(self, old: Broadcast, each: Envelope, *, beside: bool) -> None:
        name = BESIDE if beside else f"broadcast {old.number}"
        conflict = of_broadcasts(name, old.value, each, old.number)
        if conflict is not None:
            log.error("broadcast_conflicts", topic=self._topic, **correlation.ids_of(old.value))
            raise ConflictingBroadcastError(conflict)


def _refuse_other_fact(envelope: Envelope, known: bytes | None) -> None:
    """Compare a fact with what is kept of the one sent before. Errors: ConflictingFactError."""
    conflict = of_facts("a fact sent before", known, envelope)
    if conflict is not None:
        log.error("fact_conflicts", **correlation.ids_of(canonical(envelope)))
        raise ConflictingFactError(conflict)


def written(envelope: Envelope) -> bytes:
    """Give the bytes of an envelope. Errors: TooLargeError."""
    value = canonical(envelope)
    if len(value) > RECORD_BYTES:
        message = (
            f"{envelope.type} {envelope.id} has {len(value)} bytes: {RECORD_BYTES} may be sent"
        )
        raise TooLargeError(message)
    return value
