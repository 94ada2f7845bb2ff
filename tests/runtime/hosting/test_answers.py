"""The pages of a service, to the byte: probes and scrapers read them."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from shared.runtime.hosting.health import application
from shared.runtime.hosting.status import ProcessStatus


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Ask a process without runners and with a database that is not connected."""
    pool: asyncpg.Pool = asyncpg.create_pool("postgresql://nobody@127.0.0.1:1/none", min_size=1)
    transport = httpx.ASGITransport(application(ProcessStatus("tests", pool, [])))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as asking:
        yield asking


async def test_a_process_that_lives_says_so(client: httpx.AsyncClient) -> None:
    answer = await client.get("/livez")

    assert (answer.status_code, answer.content) == (200, b'{"ok": true, "reasons": []}\n')
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-length"] == str(len(answer.content))


async def test_a_database_that_is_away_is_told_and_is_no_error(client: httpx.AsyncClient) -> None:
    """A pool that was never connected raises InterfaceError."""
    wanted = b'{"ok": false, "reasons": ["the database does not answer (InterfaceError)"]}\n'

    for page in ("/readyz",):
        answer = await client.get(page)
        assert (answer.status_code, answer.content) == (503, wanted)


async def test_metrics_are_in_the_form_of_prometheus(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")


@pytest.mark.parametrize("path", ["/", "/livez/", "/nothing"])
async def test_other_paths_are_told_which_there_are(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert answer.status_code == 404
    assert answer.json() == {"paths": ["/livez", "/metrics", "/readyz", "/status"]}


async def test_whoever_would_change_something_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/status")

    assert answer.status_code == 405
    assert answer.json() == {"methods": ["GET", "HEAD"]}
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
