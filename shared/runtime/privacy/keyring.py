"""The keyring: keys of people and regencies, and tombstones of those destroyed (design 3).

The only store that services share: a small database of its own (`TERTIB_KEYRING_URL`), a vault in
production. Forgetting is final: a kid with a tombstone never gets a key again.
"""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol, Self

import asyncpg

from shared.events.sealing import KEY_BYTES

# Kids asked for in one statement: a province has 130,000 people, and a statement stays short.
PAGE = 10_000
_SCHEMA_LOCK = 0x7465_7274_6962  # Makes the table once, however many services begin together.
_TABLE = """
CREATE TABLE IF NOT EXISTS keys (
    kid text COLLATE "C" PRIMARY KEY,
    key bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    forgotten_at timestamptz,
    CHECK ((key IS NULL) = (forgotten_at IS NOT NULL))
)"""
_CREATE = """
INSERT INTO keys (kid, key) SELECT * FROM unnest($1::text[], $2::bytea[])
ON CONFLICT (kid) DO NOTHING"""
_FIND = "SELECT kid, key FROM keys WHERE kid = ANY($1::text[])"
_FORGET = """
INSERT INTO keys (kid, key, forgotten_at) VALUES ($1, NULL, now())
ON CONFLICT (kid) DO UPDATE SET key = NULL, forgotten_at = now() WHERE keys.key IS NOT NULL"""


class Keyring(Protocol):
    """Where keys are kept. Units: a key has KEY_BYTES bytes."""

    async def keys_of(
        self, kids: Collection[str], *, create: bool = False
    ) -> Mapping[str, bytes | None]:
        """Give the keys of kids; None for a kid that is forgotten.

        With `create` every unknown kid gets a new key; without, it is left out of the result.
        """

    async def forget(self, kid: str) -> None:
        """Destroy the key and leave a tombstone, also of a kid that never had one; repeatable."""


class PostgresKeyring:
    """A keyring in a PostgreSQL database of its own."""

    def __init__(self, pool: "asyncpg.Pool") -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect, and make the table if it is not there. Shapes: `postgresql://…`.

        Errors: OSError or asyncpg.PostgresError if the database cannot be reached.
        """
        pool = await asyncpg.create_pool(_plain(url), min_size=1, max_size=4)
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _SCHEMA_LOCK)
            await connection.execute(_TABLE)
        return cls(pool)

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()

    async def __aenter__(self) -> Self:
        """Use it in `async with`: it is closed at the end."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()

    async def keys_of(
        self, kids: Collection[str], *, create: bool = False
    ) -> Mapping[str, bytes | None]:
        """Give the keys of kids; None for a kid that is forgotten."""
        found: dict[str, bytes | None] = {}
        for page in _pages(sorted(set(kids))):
            rows = await self._pool.fetch(_FIND, page)
            found.update((row["kid"], row["key"]) for row in rows)
            missing = [kid for kid in page if kid not in found]
            if create and missing:
                await self._pool.execute(_CREATE, missing, [new_key() for _ in missing])
                # Another publisher may have been first: the key in the table counts.
                rows = await self._pool.fetch(_FIND, missing)
                found.update((row["kid"], row["key"]) for row in rows)
        return found

    async def forget(self, kid: str) -> None:
        """Destroy the key and leave a tombstone; vacuum, so that no old row version stays."""
        await self._pool.execute(_FORGET, kid)
        await self._pool.execute("VACUUM keys")


def new_key() -> bytes:
    """Give a key that nobody can guess."""
    return secrets.token_bytes(KEY_BYTES)


def _pages(kids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (kids[first : first + PAGE] for first in range(0, len(kids), PAGE))


def _plain(url: str) -> str:
    """Leave out the driver that SQLAlchemy's form of the address names."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)
