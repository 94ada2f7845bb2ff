"""The local stack: one folder, one Kafka, one PostgreSQL, and the services that run on them."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from shared.local import identity, state
from shared.local.errors import PortTakenError, StackError
from shared.local.kafka import KafkaCluster
from shared.local.locks import locked
from shared.local.paths import default_home
from shared.local.postgres import SERVICES, PostgresServer
from shared.local.processes import Service, ServiceStatus
from shared.local.servers import Say, Servers, ServerStatus
from shared.local.services import Services
from shared.local.watchdog import Watchdog

# A stopped stack that finds a port in use moves to another one. Only so many times: a program that
# takes every port we choose does so on purpose.
MOVES = 5


def silence(_: str) -> None:
    """Say nothing."""


class LocalStack:
    """The stack in one folder. Stacks with different folders know nothing of each other.

    `nodes` counts for a new stack only (default 1); an old one has the nodes it was made with,
    and another number is refused.
    """

    def __init__(self, home: Path | None = None, nodes: int | None = None) -> None:
        self.home = (home or default_home()).expanduser().resolve()
        self._wanted = nodes
        self._state: state.State | None = None
        self._servers: Servers | None = None
        self.services = Services(self.home, self._save)
        self._load()

    @classmethod
    @contextmanager
    def scoped(
        cls, home: Path | None = None, nodes: int | None = None, say: Say = silence
    ) -> Iterator["LocalStack"]:
        """Run a stack until the block ends; without `home`, in a folder that is removed then.

        Nothing of it outlives the process that runs the block, however that ends: a watchdog, a
        process of its own, ends the servers when its pipe to the parent breaks. (The kernel's
        parent-death signal would come when the *thread* that started a server ends, is lost
        when the server changes its user, and exists on Linux alone.)
        """
        folder = home or Path(tempfile.mkdtemp(prefix="tertib-"))
        stack = cls(folder, nodes)
        watchdog = Watchdog.start(stack.home, remove=home is None)
        try:
            stack.up(say)
            yield stack
        finally:
            stack.down(say, abruptly=home is None)
            watchdog.dismiss()
            if home is None:
                shutil.rmtree(folder)

    def up(self, say: Say = silence) -> None:
        """Start the servers that do not run, and return when all answer; a no-op if all do.

        If this fails (also by Ctrl-C), what runs is stopped again. A stack of which nothing runs
        takes another port where another program listens on its own (decision 0010).

        Errors: StackError if something cannot be fetched, started or reached; PortTakenError if
        a part of the stack runs, and so knows the others' ports, and one of these is taken.
        """
        self._make_home()
        with locked(self.home / "stack.lock"):
            self._load()
            if self._state is None:
                self._adopt(state.choose(self._wanted or 1))
            self._refuse_other_nodes()
            self._end_strays()
            moves = 0 if self._anything_runs() else MOVES
            while not self._started(say, may_move=moves > 0):
                moves -= 1

    def start_services(self, services: Sequence[Service], say: Say = silence) -> dict[str, str]:
        """Start these services, unless they run, and return when each is ready or has failed.

        Gives why some are not, by name: one that cannot start does not stop the others.
        """
        with locked(self.home / "stack.lock"):
            self._load()
            taken = self._books().server_ports()
            env = {**os.environ, **self.environment()}
            failed = self.services.start(services, env, say, taken)
        waiting = [each for each in services if each.name not in failed]
        return failed | self.services.wait_ready(waiting)

    def down(self, say: Say = silence, *, abruptly: bool = False) -> None:
        """Stop the services, then the servers, cleanly; or at once, if nothing is to be kept."""
        if not self.home.exists():
            return
        with locked(self.home / "stack.lock"):
            self._load()
            if self._state is None:
                return
            self.services.stop(say, abruptly=abruptly)
            if self.running:
                say("stopping Kafka and PostgreSQL")
            self._known().stop(abruptly=abruptly)

    @property
    def running(self) -> bool:
        """Say whether the processes of all servers live."""
        return self._servers is not None and self._servers.running

    def status(self) -> list[ServerStatus]:
        """Ask every server how it is; empty for a folder without a stack."""
        self._load()
        return [] if self._servers is None else self._servers.status()

    def service_status(self) -> list[ServiceStatus]:
        """Ask every service that was ever started here how it is."""
        self._load()
        return self.services.status()

    @property
    def kafka(self) -> KafkaCluster:
        """Give the broker's nodes. Errors: StackError before the first `up`."""
        return self._known().kafka

    @property
    def postgres(self) -> PostgresServer:
        """Give the database server. Errors: StackError before the first `up`."""
        return self._known().postgres

    @property
    def kafka_bootstrap(self) -> str:
        """Give the brokers' addresses, comma-separated."""
        return self.kafka.bootstrap

    def database_url(self, service: str) -> str:
        """Give the address of a service's own database (or `keyring`), for asyncpg.

        Errors: StackError for a name that has none.
        """
        if service not in SERVICES:
            message = f"no database named {service}; there are {', '.join(SERVICES)}"
            raise StackError(message)
        return self.postgres.url(service)

    def environment(self) -> dict[str, str]:
        """Give the variables by which services and commands find this stack (design 8.3)."""
        databases = {
            f"TERTIB_{name.upper()}_DATABASE_URL": self.database_url(name)
            for name in SERVICES
            if name != "keyring"
        }
        return {
            "TERTIB_HOME": str(self.home),
            "TERTIB_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "TERTIB_KEYRING_URL": self.database_url("keyring"),
            **databases,
        }

    def _started(self, say: Say, *, may_move: bool) -> bool:
        """Start the servers; False if one's port was taken, and the stack has moved to another."""
        try:
            self._known().start(say)
        except PortTakenError as taken:
            self._known().stop()
            if not may_move:
                raise
            say(f"{taken}: choosing another")
            self._adopt(state.moved(self._books()))
            self._save()
            return False
        except BaseException:
            self._known().stop()
            raise
        return True

    def _anything_runs(self) -> bool:
        return any(identity.alive(one) for one in self._processes())

    def _end_strays(self) -> None:
        """Kill what an `up` started that was killed before it stored the process."""
        identity.end_all(identity.strays(self.home, self._processes()))

    def _processes(self) -> list[identity.Identity]:
        return [*self._known().known(), *self.services.pids().values()]

    def _load(self) -> None:
        found = state.read(self.home)
        if found is not None:
            self._adopt(found)

    def _adopt(self, found: state.State) -> None:
        """Take everything from the stack's state."""
        self._state = found
        if self._servers is None:
            self._servers = Servers(self.home, found, self._save)
        self._servers.adopt(found)
        self.services.adopt(found.health_ports, found.service_pids)

    def _save(self) -> None:
        books = self._books()
        books.kafka_pids = self.kafka.pids
        books.postgres_pid = self.postgres.who
        books.health_ports = self.services.health_ports()
        books.service_pids = self.services.pids()
        state.write(self.home, books)

    def _books(self) -> state.State:
        if self._state is None:
            raise StackError(self._never_started())
        return self._state

    def _known(self) -> Servers:
        if self._servers is None:
            raise StackError(self._never_started())
        return self._servers

    def _make_home(self) -> None:
        """Make the folder, private to its owner; the server's user may only pass through."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o711 if os.geteuid() == 0 else 0o700)

    def _refuse_other_nodes(self) -> None:
        has = len(self.kafka.nodes)
        if self._wanted not in {None, has}:
            message = (
                f"the stack in {self.home} was made with {has} node(s), not {self._wanted}:"
                " choose another TERTIB_HOME, or stop it and remove that folder"
            )
            raise StackError(message)

    def _never_started(self) -> str:
        return f"there is no stack in {self.home} yet: run `tertib up`"
