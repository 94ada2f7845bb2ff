"""Personal values as ciphertext: deterministic, and bound to their type and subject (design 3).

AES-SIV (RFC 5297) under a key per person or regency. The same value in the same type of fact about
the same subject gives the same bytes, so a repeated fact is the same fact. Elsewhere it gives
other bytes, so ciphertext cannot be moved from one fact to another.
"""

import base64
from collections.abc import Mapping
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from shared.events.base import Sealed

KEY_BYTES = 64  # AES-256 in SIV mode takes two keys in one.
# Values are padded to whole blocks, so that «sakit» and «cuti» have one length.
BLOCK = 16
_END = b"\x80"


class UnsealableError(ValueError):
    """Ciphertext that cannot be opened with this key, for this type and subject."""


class Sealer(Protocol):
    """What a publisher needs to seal personal values. Never blocks."""

    def is_forgotten(self, kid: str, /) -> bool:
        """Say whether the person's key is destroyed: nothing of that person is published."""

    def seal(self, kid: str, type_: str, subject: str, text: str, /) -> Sealed:
        """Seal a value of a fact of this type and subject. Errors: KeyError without a key."""


def person_kid(employee_id: str) -> str:
    """Name the key of a person."""
    return f"person/{employee_id}"


def regency_kid(code: str) -> str:
    """Name the key of a regency: for the free text of its broadcasts."""
    return f"regency/{code}"


def place_of(type_: str, subject: str) -> tuple[bytes, bytes]:
    """Give what ciphertext is bound to: the CloudEvents type and subject of its fact."""
    return type_.encode(), subject.encode()


def seal(key: bytes, kid: str, aad: tuple[bytes, bytes], text: str) -> Sealed:
    """Seal a text. Units: the key has KEY_BYTES; another length is a ValueError."""
    plain = text.encode() + _END
    plain += bytes(-len(plain) % BLOCK)
    return Sealed(kid=kid, ct=base64.b64encode(AESSIV(key).encrypt(plain, [*aad])).decode())


def unseal(key: bytes, sealed: Sealed, aad: tuple[bytes, bytes]) -> str:
    """Decrypt a text. Errors: UnsealableError for another key, type, subject or changed bytes."""
    try:
        plain = AESSIV(key).decrypt(base64.b64decode(sealed.ct, validate=True), [*aad])
    except (InvalidTag, ValueError):
        message = f"the value under {sealed.kid} does not open here"
        raise UnsealableError(message) from None
    return plain[: plain.rindex(_END)].decode()


class KeySealer:
    """Seals with keys in memory; a kid whose key is None is forgotten."""

    def __init__(self, keys: Mapping[str, bytes | None]) -> None:
        self._keys = keys

    def is_forgotten(self, kid: str, /) -> bool:
        """Say whether the person's key is destroyed."""
        return self._keys.get(kid, b"") is None

    def seal(self, kid: str, type_: str, subject: str, text: str, /) -> Sealed:
        """Seal a value. Errors: KeyError for a kid without key."""
        key = self._keys[kid]
        if key is None:
            raise KeyError(kid)
        return seal(key, kid, place_of(type_, subject), text)


class Redacting:
    """Replaces a value by an empty ciphertext: for previews, which publish nothing."""

    def is_forgotten(self, _kid: str, /) -> bool:
        """Give False: a preview has no keyring, so it knows of no forgotten person."""
        return False

    def seal(self, kid: str, _type: str, _subject: str, _text: str, /) -> Sealed:
        """Give an empty ciphertext."""
        return Sealed(kid=kid, ct="")
