"""An ASGI application on one port, in the service's own event loop."""

import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import structlog
import uvicorn

log = structlog.get_logger()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the service decides when and in what order it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """Serves an ASGI application on one port; port 0 takes a free one."""

    def __init__(self, app: Callable[..., Awaitable[None]], host: str, port: int) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,  # Its lines go through our chain.
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
            server_header=False,
        )
        self._server = _Server(config)
        self._socket = socket.create_server((host, port))
        self.port: int = self._socket.getsockname()[1]

    async def run(self) -> None:
        """Serve until `stop`."""
        log.info("health_served", host=self._socket.getsockname()[0], port=self.port)
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._server.should_exit = True
