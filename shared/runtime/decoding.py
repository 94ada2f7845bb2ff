"""From a record's bytes to an envelope, or to the reason why it cannot be one."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from shared.events.base import Fact
from shared.events.catalogue import BY_TYPE
from shared.events.envelope import Envelope
from shared.events.structs import decoder_of

PASSED_BY = None  # A kind of the catalogue that the projection does not hear.


class Undecodable(NamedTuple):
    """A record that says nothing; `reason` is one of kafka.md section 9."""

    reason: str
    error: str


class Decoder:
    """Decodes the records of one projection. A kind is found in the header, not in the value."""

    def __init__(self, hears: Iterable[type[Fact]]) -> None:
        self._decode = {kind.type_name().encode(): decoder_of(kind).decode for kind in hears}
        self._known = {name.encode() for name in BY_TYPE}

    def __call__(self, record: Any) -> Envelope | Undecodable | None:
        """Give the envelope, PASSED_BY, or why the record cannot be decoded. Raises nothing."""
        for name, value in record.headers:
            if name == "ce_type":
                kind = value
                break
        else:
            return Undecodable("decode", "the record has no ce_type header")
        decode = self._decode.get(kind)
        if decode is None:
            if kind in self._known:
                return PASSED_BY
            return Undecodable("unknown_version", f"no such type: {kind[:100]!r}")
        if record.value is None:
            return Undecodable("decode", "the record has no value")
        try:
            return decode(record.value)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return Undecodable("decode", _said(error))


def key_of(record: Any) -> str:
    """Name the subject of a record that cannot be decoded: its key."""
    return record.key.decode("utf-8", "replace") if record.key else "(no key)"


def _said(error: BaseException) -> str:
    """Say what is wrong without the value: it may hold something personal."""
    return f"{type(error).__name__}: {str(error).partition(' - at ')[0][:200]}"
