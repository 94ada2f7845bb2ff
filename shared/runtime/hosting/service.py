"""One service as one process: its projections, its relay, its health, and tasks of its own.

A service declares its parts (`Service`). `serve` starts them in the order in which they need one
another, and stops them in the opposite order.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import structlog

from shared.errors import CannotRunError
from shared.events.catalogue import KINDS
from shared.runtime.adoption import Adoption
from shared.runtime.broadcast.relay import facts_relay
from shared.runtime.consumer.runner import Runner
from shared.runtime.hosting.health import application
from shared.runtime.hosting.recovering import recovered
from shared.runtime.hosting.status import Part, ProcessStatus
from shared.runtime.hosting.stopping import stop_on_signals, wait
from shared.runtime.http.server import HttpServer
from shared.runtime.kafka import admin, topics
from shared.runtime.outbox.relay import Relay
from shared.runtime.projection import Projection
from shared.runtime.settings import Settings
from shared.runtime.storage.failures import REFUSED, UNAVAILABLE

log = structlog.get_logger()

# What a task may take to bring what is in flight to its end; the stack kills after 20 s.
GRACE_SECONDS = 5.0
# A loop that does not turn is looked at twice: a process that was stopped and goes on is alive.
WATCH_SECONDS = 5.0
DRAIN_SECONDS = 0.05
DONE, BROKEN = 0, 1


@dataclass
class Running:
    """What a task of a service is given. It ends by itself soon after `stopping` is set."""

    settings: Settings
    database_url: str
    pool: "asyncpg.Pool[Any]"
    runners: Mapping[str, Runner]
    stopping: asyncio.Event
    parts: dict[str, Part] = field(default_factory=dict)  # A task may add to `/status`.
    troubles: dict[str, str] = field(default_factory=dict)  # And say why the service is not ready.


Task = Callable[[Running], Awaitable[None]]


@dataclass(frozen=True)
class Service:
    """What a service is made of. `projections` make a new projection each; `tasks` by name.

    `facts`: the topic of the facts that it publishes, if any; each process stands ready to do so.
    """

    name: str
    projections: Sequence[Callable[[], Projection[Any, Any]]]
    tasks: Mapping[str, Task] = field(default_factory=dict)
    facts: str | None = None
    adoption: Adoption | None = None  # How a new version of the fold is adopted, if it is.

    def topics(self) -> list[str]:
        """Name the topics that it hears or writes, those of what it parks included."""
        made = [projection() for projection in self.projections]
        heard = [topic for each in made for topic in each.topics]
        told = [kind.TOPIC for kind in KINDS if self.name == kind.SERVICE]
        told += [self.facts] if self.facts else []
        parked = [topics.parked_of(each.name) for each in made]
        return list(dict.fromkeys([*heard, *told, *parked]))


def launched(name: str) -> tuple[list[str], int]:
    """Give the arguments by which the local stack starts a service, and its health port.

    Port 0: the stack chooses. `-P`: the folder that one happens to stand in is not imported from.
    """
    return [sys.executable, "-P", "-m", "shared.runtime.cli", "serve", name], 0


async def serve(service: Service, settings: Settings) -> int:
    """Run a service until it is told to stop (SIGTERM, SIGINT); give the exit code.

    0: it stopped as told. 1: one of its parts died; the log says which.
    Errors: CannotRunError if it is not told what it needs, or can never go on as it is: the tables
    are another version's, the database is another.
    """
    stopping = stop_on_signals()
    structlog.contextvars.bind_contextvars(service=service.name)
    try:
        async with AsyncExitStack() as started:
            code = await _Process(service, settings, stopping).run(started)
    except CannotRunError:
        raise
    except Exception:
        log.exception("service_failed")
        return BROKEN
    log.info("service_stopped")
    return code


class _Process:
    """The parts of a running service. What was started is ended by the exit stack, last first."""

    def __init__(self, service: Service, settings: Settings, stopping: asyncio.Event) -> None:
        self.service = service
        self.settings = settings
        self.stopping = stopping
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self, started: AsyncExitStack) -> int:
        """Start everything, wait for the first that ends, and say how it went."""
        url = self.settings.database_url(self.service.name)
        await admin.ensure(
            self.settings.bootstrap, self.service.topics(), self.settings.replication
        )
        pool = await asyncpg.create_pool(url, min_size=1, max_size=4, command_timeout=30)
        started.push_async_callback(_closed, pool)
        runners = [
            Runner(make(), self.settings.bootstrap, url) for make in self.service.projections
        ]
        by_name = {runner.projection.name: runner for runner in runners}
        running = Running(self.settings, url, pool, by_name, self.stopping)
        self.vitals = ProcessStatus(
            self.service.name, pool, runners, parts=running.parts, troubles=running.troubles
        )
        self._serve_health(started)
        names = url, self.settings.bootstrap, self.service.name
        self._relay("relay", Relay(*names), started)
        if self.service.facts is not None:
            self._relay("facts_relay", facts_relay(*names, self.service.facts), started)
        if not await recovered(runners, self.settings.bootstrap, url, self.stopping):
            return DONE
        for runner in runners:
            await runner.start()
            started.push_async_callback(runner.stop)
            self._spawn(runner.group, runner.over())
            started.push_async_callback(self._cancelled, runner.group)
        self._add_tasks(running, started)
        log.info("service_started", topics=self.service.topics())
        return await self._end()

    def _serve_health(self, started: AsyncExitStack) -> None:
        server = HttpServer(
            application(self.vitals), self.settings.health_host, self.settings.health_port
        )
        self._spawn("health", server.run())
        started.push_async_callback(self._ended, "health", server.stop)

    def _relay(self, name: str, relay: Relay, started: AsyncExitStack) -> None:
        """Publish what is said; ended after the consumers, when it has let their last words go."""
        relay.troubles = self.vitals.troubles
        self.vitals.outboxes[relay.outbox.name] = relay
        self._spawn(name, relay.run())
        started.push_async_callback(self._drained, name, relay)

    async def _drained(self, name: str, relay: Relay) -> None:
        """Wait until all is published, and no longer than the grace; the next start goes on."""
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                while not self.tasks[name].done() and not await relay.drained():  # noqa: ASYNC110  (a database)
                    await asyncio.sleep(DRAIN_SECONDS)
        except (*UNAVAILABLE, REFUSED) as error:
            log.warning("relay_not_drained", error=type(error).__name__)
        self.tasks[name].cancel()
        await asyncio.wait([self.tasks[name]])
        self._tell_end(name)

    def _add_tasks(self, running: Running, started: AsyncExitStack) -> None:
        """Start what is the service's own, and the watch over its consumer loops."""
        for name, task in {**self.service.tasks, "watch": self._watch}.items():
            self._spawn(name, task(running))
        started.push_async_callback(self._ended_all, [*self.service.tasks, "watch"])

    def _spawn(self, name: str, work: Any) -> None:
        self.tasks[name] = asyncio.ensure_future(work)

    async def _end(self) -> int:
        """Wait for the signal or the first death; from then on the service is not ready."""
        signalled = asyncio.create_task(self.stopping.wait())
        await asyncio.wait([signalled, *self.tasks.values()], return_when=asyncio.FIRST_COMPLETED)
        was_told = self.stopping.is_set()
        self.vitals.stopping = True
        self.stopping.set()
        await signalled
        for name, task in self.tasks.items():
            if task.done() and not was_told:
                log.error("task_died", task=name)  # Why, it is asked at its end.
                if not task.cancelled() and isinstance(task.exception(), CannotRunError):
                    task.result()  # It reaches people as one line; no restart would mend it.
        return DONE if was_told else BROKEN

    async def _cancelled(self, name: str) -> None:
        self.tasks[name].cancel()
        await asyncio.wait([self.tasks[name]])

    async def _ended_all(self, names: Iterable[str]) -> None:
        await asyncio.gather(*(self._ended(name) for name in names))

    async def _ended(self, name: str, stop: Callable[[], None] = lambda: None) -> None:
        """Let a task come to its end, and cut it off after the grace."""
        stop()
        task = self.tasks[name]
        await asyncio.wait([task], timeout=GRACE_SECONDS)
        if not task.done():
            log.warning("task_cut_off", task=name, seconds=GRACE_SECONDS)
            task.cancel()
            await asyncio.wait([task])
        self._tell_end(name)

    def _tell_end(self, name: str) -> None:
        """Log with what error a task ended, if with any."""
        task = self.tasks[name]
        error = None if task.cancelled() else task.exception()
        if error and not isinstance(error, CannotRunError):
            log.error("task_failed", task=name, exc_info=error)

    async def _watch(self, running: Running) -> None:
        """End the process when a consumer loop has stopped: its supervisor starts it again."""
        suspects: list[str] = []
        while not running.stopping.is_set():
            dead = self.vitals.dead()
            if dead and suspects:
                log.error("loop_stands_still", reason="; ".join(dead))
                return
            suspects = dead
            await wait(running.stopping, WATCH_SECONDS)


async def _closed(pool: "asyncpg.Pool[Any]") -> None:
    """Close a pool, without waiting for a database that is gone."""
    try:
        await asyncio.wait_for(pool.close(), GRACE_SECONDS)
    except TimeoutError:
        pool.terminate()
