"""`/livez`, `/readyz`, `/metrics`, `/status`: a service answers for itself, in its own event loop.

An answer proves that the loop turns. What is told names partitions, offsets and ages, no person.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.runtime.hosting.metrics import measure
from shared.runtime.hosting.status import ProcessStatus, silence_of
from shared.runtime.storage.failures import REFUSED, UNAVAILABLE

log = structlog.get_logger()

OK, NOT_FOUND, NOT_ALLOWED, NOT_NOW = 200, 404, 405, 503

Message = MutableMapping[str, Any]
Answer = tuple[int, str, bytes]


def application(vitals: ProcessStatus) -> Callable[..., Awaitable[None]]:
    """Make the ASGI application. Other ASGI servers and tests may run it as well."""
    routes = {"/livez": _livez, "/readyz": _readyz, "/metrics": _metrics, "/status": _status}

    async def app(
        scope: Message,
        _: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        route = routes.get(scope["path"])
        if route is None:
            answer = _told(NOT_FOUND, {"paths": sorted(routes)})
        elif scope["method"] not in {"GET", "HEAD"}:
            answer = _told(NOT_ALLOWED, {"methods": ["GET", "HEAD"]})
        else:
            answer = await route(vitals)
        await _send(send, answer, with_body=scope["method"] != "HEAD")

    return app


async def _livez(vitals: ProcessStatus) -> Answer:
    return _reasoned(vitals.dead())


async def _readyz(vitals: ProcessStatus) -> Answer:
    return _reasoned(await vitals.unready())


async def _metrics(vitals: ProcessStatus) -> Answer:
    await measure(vitals)
    return OK, CONTENT_TYPE_LATEST, generate_latest()


async def _status(vitals: ProcessStatus) -> Answer:
    try:
        return _told(OK, await vitals.status())
    except (*UNAVAILABLE, REFUSED) as error:
        return _reasoned([silence_of(error)])


def _reasoned(reasons: list[str]) -> Answer:
    return _told(NOT_NOW if reasons else OK, {"ok": not reasons, "reasons": reasons})


def _told(status: int, content: object) -> Answer:
    return status, "application/json", json.dumps(content).encode() + b"\n"


async def _send(
    send: Callable[[Message], Awaitable[None]], answer: Answer, *, with_body: bool
) -> None:
    status, kind, body = answer
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body if with_body else b""})
