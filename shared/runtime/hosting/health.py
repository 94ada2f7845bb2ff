"""`/livez`, `/readyz`, `/metrics`, `/status`: a service answers for itself, in its own event loop.

An answer proves that the loop turns. What is told names partitions, offsets and ages, no person.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.runtime.hosting.metrics import measure
from shared.runtime.hosting.status import ProcessStatus
from shared.runtime.storage.failures import REFUSED, UNAVAILABLE, silence_of

METHODS = ["GET", "HEAD"]
FRESH = {"cache-control": "no-store"}


def application(vitals: ProcessStatus) -> Starlette:
    """Make the ASGI application. Any ASGI server may run it, tests as well."""

    async def livez(_: Request) -> Response:
        return _reasoned(vitals.dead())

    async def readyz(_: Request) -> Response:
        return _reasoned(await vitals.unready())

    async def metrics(_: Request) -> Response:
        await measure(vitals)
        return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST, **FRESH})

    async def status(_: Request) -> Response:
        try:
            return _told(HTTPStatus.OK, await vitals.status())
        except (*UNAVAILABLE, REFUSED) as error:
            return _reasoned([silence_of(error)])

    pages = [livez, readyz, metrics, status]
    paths = sorted(f"/{page.__name__}" for page in pages)

    def no_such_page(_: Request, __: Exception) -> Response:
        return _told(HTTPStatus.NOT_FOUND, {"paths": paths})

    def no_such_method(_: Request, refused: Exception) -> Response:
        allowed = refused.headers if isinstance(refused, HTTPException) else None
        return _told(HTTPStatus.METHOD_NOT_ALLOWED, {"methods": METHODS}, allowed)

    app = Starlette(
        routes=[Route(f"/{page.__name__}", page, methods=METHODS) for page in pages],
        exception_handlers={
            HTTPStatus.NOT_FOUND: no_such_page,
            HTTPStatus.METHOD_NOT_ALLOWED: no_such_method,
        },
    )
    app.router.redirect_slashes = False
    return app


def _reasoned(reasons: list[str]) -> Response:
    status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
    return _told(status, {"ok": not reasons, "reasons": reasons})


def _told(status: HTTPStatus, content: object, more: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(content).encode() + b"\n"
    return Response(body, status, {**FRESH, **(more or {})}, media_type="application/json")
