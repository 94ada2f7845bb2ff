"""The services' own processes on a local stack: started, observed and stopped."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.local import identity, ports
from shared.local.errors import StackError
from shared.local.identity import Identity
from shared.local.logs import last_lines, rotate

READY_SECONDS = 60.0
ASK_SECONDS = 2.0
POLL_SECONDS = 0.1
LAST_WORDS = 400  # Characters of a last line that are quoted.

# Longer than a service needs to finish its batch and let its relay go.
STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Service:
    """A service as its entry point describes it: what to run, and where it answers.

    With a `health_port` of 0 the stack chooses a port and keeps it; the process gets it in
    TERTIB_HEALTH_PORT. Several stacks on one machine need that.
    """

    name: str
    argv: Sequence[str]
    health_port: int = 0


@dataclass(frozen=True)
class ServiceStatus:
    """The state of a service: its process (None: dead), and the answer of `/readyz`."""

    name: str
    pid: int | None
    port: int
    ready: bool


class ServiceProcess:
    """One process of a service; `who` is the process in the stack's state file."""

    def __init__(
        self,
        name: str,
        *,
        home: Path,
        health_port: int,
        changed: Callable[[], None],
    ) -> None:
        self.name = name
        self.home = home
        self.health_port = health_port
        self.who: Identity | None = None
        self._changed = changed

    @property
    def log(self) -> Path:
        """Name the file in which the service writes what happens."""
        return self.home / "services" / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """Give the process id; None if it is dead."""
        return self.who.pid if self.who is not None and identity.alive(self.who) else None

    def start(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Start the process, unless it lives. Errors: StackError if its port is taken."""
        if self.pid is not None:
            return
        ports.require_free(self.health_port, self.name)
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        rotate(self.log)
        self.who = identity.spawn(
            argv,
            home=self.home,
            log=self.log,
            env={**env, "TERTIB_HEALTH_PORT": str(self.health_port)},
        )
        self._changed()

    def stop(self, grace: float = STOP_SECONDS) -> bool:
        """Send SIGTERM, and SIGKILL after the grace (seconds); True if SIGTERM was enough."""
        if self.who is None:
            return True
        politely = identity.stop(self.who, grace)
        self.who = None
        self._changed()
        return politely

    def kill(self) -> None:
        """Kill it as a power cut would (SIGKILL), and wait until it is dead."""
        if self.who is not None:
            identity.kill_all([self.who])

    def ready(self) -> bool:
        """Ask `/readyz`; only a 200 counts."""
        address = f"http://{ports.LOOPBACK}:{self.health_port}/readyz"
        try:
            with urllib.request.urlopen(address, timeout=ASK_SECONDS) as answer:
                return bool(answer.status == 200)  # noqa: PLR2004  (OK)
        except (OSError, urllib.error.URLError):
            return False

    def status(self) -> ServiceStatus:
        """Say how it is now."""
        pid = self.pid
        return ServiceStatus(self.name, pid, self.health_port, pid is not None and self.ready())

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait until it says that it is ready.

        Errors: StackError with the last line of its log if it died or the time is over: a process
        that cannot run writes the reason there.
        """
        until = time.monotonic() + seconds
        while not self.ready():
            what = None
            if self.pid is None:
                what = "ended while it started"
            elif time.monotonic() > until:
                what = f"was not ready within {seconds:.0f} s"
            if what:
                end = last_lines(self.log, 1).strip()[:LAST_WORDS]
                message = f"{self.name} {what}: {end} (all of it: {self.log})"
                raise StackError(message)
            time.sleep(POLL_SECONDS)
