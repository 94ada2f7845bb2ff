"""What a publisher knows of its facts, read back from the topic after its database was lost.

By command alone: nothing tells a database that was lost from a second one that is started beside
the first, and two that number broadcasts would stop every reader (decision 0022).
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from shared.errors import CannotRunError
from shared.events.catalogue import BY_TYPE
from shared.events.envelope import TYPE_HEADER
from shared.events.structs import decoder_of
from shared.runtime.broadcast import known_facts, locks
from shared.runtime.broadcast.conflicts import content_of
from shared.runtime.broadcast.known_facts import Broadcast
from shared.runtime.kafka.partition_reader import CHUNK, PartitionReader
from shared.runtime.kafka.records import Record, id_of
from shared.runtime.kafka.topics import PARTITIONS


class _Numbered(msgspec.Struct):
    id: str
    type: str
    regency: str
    broadcastseq: int


_numbered = msgspec.json.Decoder(_Numbered).decode


@dataclass
class Adopted:
    """What was taken over: broadcasts and keyed facts that the database did not know."""

    broadcasts: int = 0
    facts: int = 0


async def recover_facts(database_url: str, bootstrap: str, topic: str) -> Adopted:
    """Note all that a topic of facts holds as known; what is known already must be the same.

    Nobody publishes meanwhile: the lock of all regencies is held. Errors: CannotRunError if a
    broadcast is known with other bytes: nothing was noted then; those of the brokers and the
    database.
    """
    reading = PartitionReader(bootstrap)
    connection = await asyncpg.connect(database_url, timeout=30)
    try:
        await known_facts.prepare(connection)
        async with connection.transaction(isolation="read_committed"):
            await locks.of_regencies(connection, (), {locks.EVERYWHERE})
            return await _adopt(connection, reading, topic)
    finally:
        connection.terminate()
        await asyncio.to_thread(reading.close)


async def _adopt(connection: asyncpg.Connection, reading: PartitionReader, topic: str) -> Adopted:
    adopted, ends = Adopted(), dict[int, int]()
    for number in range(PARTITIONS):
        begin, ends[number] = await asyncio.to_thread(reading.ends, (topic, number))
        if begin:
            message = f"the log of {topic}/{number} is not whole: it begins at {begin}"
            raise CannotRunError(message)
        chunks = _chunks(reading, topic, number, ends[number])
        while (records := await asyncio.to_thread(next, chunks, None)) is not None:
            adopted.broadcasts += await _broadcasts(connection, records)
            adopted.facts += await _keyed(connection, records)
    await known_facts.note_scanned(connection, ends)
    return adopted


def _chunks(reading: PartitionReader, topic: str, number: int, end: int) -> Iterator[list[Record]]:
    at = 0
    while at < end:
        records = reading.read((topic, number), at, min(end, at + CHUNK))
        yield records
        at = records[-1].offset + 1


async def _broadcasts(connection: asyncpg.Connection, records: list[Record]) -> int:
    """Note broadcasts; each stands on every partition, and is noted once."""
    found: dict[str, Broadcast] = {}
    for record in records:
        if record.key is None:
            said = _numbered(record.value)
            number, type_ = said.broadcastseq, said.type
            found[said.id] = Broadcast(number, said.id, type_, said.regency, record.value)
    known = await known_facts.broadcasts_among(connection, list(found))
    for id_, old in known.items():
        if old.value != found[id_].value:
            message = f"broadcast {old.number} ({id_}) stands on the topic with other bytes"
            raise CannotRunError(message)
    new = [broadcast for id_, broadcast in found.items() if id_ not in known]
    if new:
        await known_facts.note_broadcasts(connection, new)
    return len(new)


async def _keyed(connection: asyncpg.Connection, records: list[Record]) -> int:
    facts = {id_of(each): _content(each) for each in records if each.key is not None}
    known = await known_facts.facts_among(connection, list(facts))
    await known_facts.note_facts(
        connection, {id_: content for id_, content in facts.items() if id_ not in known}
    )
    return len(facts) - len(known)


def _content(record: Record) -> bytes | None:
    """Give what is kept of a fact, to compare a later one with it: mostly nothing."""
    headers: dict[str, Any] = dict(record.headers)
    kind = BY_TYPE.get(headers.get(TYPE_HEADER, b"").decode())
    if kind is None or not kind.NAMED:
        return None
    return content_of(decoder_of(kind).decode(record.value))
