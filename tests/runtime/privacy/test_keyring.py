"""The keyring: one suite for the form in memory and the form in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.events.sealing import KEY_BYTES
from shared.runtime.privacy.keyring import PAGE, Keyring, PostgresKeyring
from tests.kit.keyring import MemoryKeyring


@pytest.fixture(params=["memory", "postgres"])
async def keyring(request: pytest.FixtureRequest) -> AsyncIterator[Keyring]:
    if request.param == "memory":
        yield MemoryKeyring()
        return
    async with await PostgresKeyring.open(request.getfixturevalue("database")) as keys:
        yield keys


async def test_every_kid_gets_a_key_of_its_own(keyring: Keyring) -> None:
    keys = await keyring.keys_of(["person/P1", "person/P2"], create=True)

    assert set(keys) == {"person/P1", "person/P2"}
    assert len({key for key in keys.values() if key and len(key) == KEY_BYTES}) == 2


async def test_a_key_stays_the_same(keyring: Keyring) -> None:
    first = await keyring.keys_of(["person/P1"], create=True)

    assert await keyring.keys_of(["person/P1"], create=True) == first
    assert await keyring.keys_of(["person/P1"]) == first


async def test_a_reader_makes_no_keys(keyring: Keyring) -> None:
    assert await keyring.keys_of(["person/P1"]) == {}
    assert await keyring.keys_of([], create=True) == {}


async def test_a_forgotten_kid_never_gets_a_key_again(keyring: Keyring) -> None:
    """`PersonForgotten` deletes the key and leaves a tombstone (design 3)."""
    await keyring.keys_of(["person/P1", "person/P2"], create=True)

    await keyring.forget("person/P1")

    keys = await keyring.keys_of(["person/P1", "person/P2"], create=True)
    assert keys["person/P1"] is None
    assert keys["person/P2"] is not None


async def test_forgetting_again_changes_nothing(keyring: Keyring) -> None:
    await keyring.keys_of(["person/P1"], create=True)
    await keyring.forget("person/P1")
    await keyring.forget("person/P1")

    assert await keyring.keys_of(["person/P1"], create=True) == {"person/P1": None}


async def test_who_never_had_a_key_can_be_forgotten_too(keyring: Keyring) -> None:
    await keyring.forget("person/P1")

    assert await keyring.keys_of(["person/P1"], create=True) == {"person/P1": None}


async def test_many_kids_are_asked_for_page_by_page(keyring: Keyring) -> None:
    kids = [f"person/P{number}" for number in range(PAGE + 1)]
    keys = await keyring.keys_of(kids, create=True)

    assert len(keys) == len(set(keys.values())) == PAGE + 1


async def test_publishers_that_begin_together_get_the_same_keys(database: str) -> None:
    """The first to write a key wins; nobody seals with a key that is lost."""
    kids = [f"person/P{number}" for number in range(200)]

    async def publisher() -> object:
        async with await PostgresKeyring.open(database) as keyring:
            return dict(await keyring.keys_of(kids, create=True))

    first, second, third = await asyncio.gather(publisher(), publisher(), publisher())

    assert first == second == third


async def test_of_a_forgotten_key_the_row_is_left_and_says_when(database: str) -> None:
    async with await PostgresKeyring.open(database) as keyring:
        await keyring.keys_of(["person/P1"], create=True)
        await keyring.forget("person/P1")

    connection = await asyncpg.connect(database)
    try:
        row = await connection.fetchrow("SELECT key, forgotten_at FROM keys")
    finally:
        await connection.close()
    assert row["key"] is None
    assert row["forgotten_at"] is not None


async def test_a_keyring_opens_with_the_address_of_sqlalchemy(database: str) -> None:
    url = database.replace("postgresql://", "postgresql+asyncpg://")
    async with await PostgresKeyring.open(url) as keyring:
        assert await keyring.keys_of(["person/P1"]) == {}
