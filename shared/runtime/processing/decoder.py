"""From a record's bytes to an envelope, or to the reason why it cannot be one."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from shared.events.base import Fact
from shared.events.catalogue import BY_TYPE
from shared.events.envelope import TYPE_HEADER, Envelope
from shared.events.structs import decoder_of
from shared.runtime.projection import Projection

BROADCAST = "broadcast"
NUL, ESCAPE = b"\\u0000", ord("\\")  # A single byte is found five times as fast as a longer text.


class Park(NamedTuple):
    """Why a record waits in its subject's queue. `error` is for people.

    `reason`: decode, unknown_type, unknown_version if it cannot be read; unknown_tenant, gap,
    contradiction, fold if it cannot be applied; queued if it only follows such a record. With
    BROADCAST it concerns everybody, so it stops the partition.
    """

    reason: str
    error: str


class SkippedEvent(Envelope, kw_only=True, frozen=True):
    """An event of a kind that the projection does not declare: only its number counts."""

    data: msgspec.Raw


_PASSING = msgspec.json.Decoder(SkippedEvent).decode


# What a record says (None: it passes by), and the subject that it is about; "" for a broadcast.
Decoded = tuple[Envelope | Park | None, str]


class Decoder:
    """Decodes the records of one projection. A kind is found in the header, not in the value.

    A projection with broadcasts decodes all of them: their numbers are dense over all kinds. So
    are the numbers of a person's events: of undeclared kinds only the envelope is read.
    """

    def __init__(self, projection: Projection[Any, Any]) -> None:
        kinds = list(projection.hears)
        self.hears_broadcasts = any(kind.BROADCAST for kind in kinds)
        if self.hears_broadcasts:
            kinds += [kind for kind in BY_TYPE.values() if _numbered_beside(kind, kinds)]
        reads = projection.reads
        self._kinds: dict[bytes, tuple[Callable[[bytes], Envelope], str, bool]] = {
            kind.type_name().encode(): (
                decoder_of(kind, reads.get(kind)).decode, kind.type_name(), kind.BROADCAST,
            )
            for kind in kinds
        }  # fmt: skip
        for type_, kind in BY_TYPE.items():
            if kind.NUMBERED:
                self._kinds.setdefault(type_.encode(), (_PASSING, type_, False))
        self._known = {name.encode() for name in BY_TYPE} | set(self._kinds)
        self._broadcast_names = {
            _unversioned(name) for name, (_, _, broadcast) in self._kinds.items() if broadcast
        }

    def __call__(self, record: Any) -> Decoded:
        """Decode a record: its content and its subject. Raises nothing."""
        headers = record.headers
        kind = headers[0][1] if headers and headers[0][0] == TYPE_HEADER else _type_in(headers)
        found = self._kinds.get(kind)
        if found is None:
            return self._not_heard(kind), key_of(record)
        decode, type_, broadcast = found
        try:
            heard = decode(value := record.value)
            if ESCAPE in value and NUL in value:
                raise ValueError("a text holds U+0000, which PostgreSQL does not store")  # noqa: TRY301  (like the decoder's own)
        except (msgspec.MsgspecError, ValueError, RecursionError, TypeError) as error:
            reason = BROADCAST if broadcast else "decode"
            return Park(reason, describe(error)), key_of(record)
        if broadcast or heard.broadcastseq is not None or heard.type != type_:
            if (fault := _disagreement(heard, type_, broadcast)) is not None:
                return fault, key_of(record)
            return heard, ""
        subject = heard.subject
        if record.key != subject.encode():
            return Park("decode", "the key names another subject"), key_of(record)
        return heard, subject

    def _not_heard(self, kind: bytes) -> Park | None:
        if kind in self._known:
            return None
        if not kind:
            return Park("decode", "the record has no ce_type header")
        name = _unversioned(kind)
        error = f"no such type: {kind[:100]!r}"
        if name in self._broadcast_names:
            return Park(BROADCAST, error)
        if any(_unversioned(known) == name for known in self._known):
            return Park("unknown_version", error)
        return Park("unknown_type", error)


def _type_in(headers: Iterable[tuple[str, bytes]]) -> bytes:
    """Find the type of a record of somebody else's, who has it not as the first header."""
    return next((value for name, value in headers if name == TYPE_HEADER), b"")


def key_of(record: Any) -> str:
    """Name the subject of a record that cannot be decoded: its key."""
    if not record.key:
        return "(no key)"
    return text_of(record.key)


def text_of(key: bytes) -> str:
    """Give a key as the text that PostgreSQL can store."""
    return key.decode("utf-8", "replace").replace("\0", "\ufffd")


def describe(error: BaseException) -> str:
    """Say what is wrong without the value: it may hold something personal."""
    return f"{type(error).__name__}: {str(error).partition(' - at ')[0][:200]}"


def _disagreement(heard: Envelope, type_: str, broadcast: bool) -> Park | None:  # noqa: FBT001  (a fact about the kind)
    reason = BROADCAST if broadcast else "decode"
    if heard.type != type_:
        return Park(reason, f"the header says {type_}, the value another type")
    if broadcast != (heard.broadcastseq is not None):
        return Park(reason, "a broadcast without a number, or a number without one")
    return None


def _numbered_beside(kind: type[Fact], heard: Sequence[type[Fact]]) -> bool:
    """Say whether a kind that is not heard is a broadcast of the same numbering."""
    services = {each.SERVICE for each in heard if each.BROADCAST}
    return kind.BROADCAST and kind.SERVICE in services and kind not in heard


def _unversioned(name: bytes) -> bytes:
    return name.rpartition(b".v")[0]
