"""The servers of one stack together: Kafka's nodes and PostgreSQL, and the ports they share."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from shared.local import identity, jars
from shared.local.identity import Identity
from shared.local.kafka import KafkaCluster
from shared.local.postgres import PostgresServer
from shared.local.state import State

Say = Callable[[str], None]


@dataclass(frozen=True)
class ServerStatus:
    """One server of the stack: its process (None: dead), its port, and whether it answers."""

    name: str
    pid: int | None
    port: int
    healthy: bool


class Servers:
    """Both kinds of server, as in the stack's state; `changed` is called when that changes.

    `kafka` and `postgres` stay the same objects as long as this one: callers keep them.
    """

    def __init__(self, home: Path, found: State, changed: Callable[[], None]) -> None:
        self.home = home
        self.kafka = KafkaCluster(home, found.nodes, found.cluster_id, changed)
        self.postgres = PostgresServer(home, found.postgres_port, found.password, changed)

    def adopt(self, found: State) -> None:
        """Take processes and ports from the stack's state."""
        self.kafka.nodes, self.kafka.pids = found.nodes, found.kafka_pids
        self.postgres.port, self.postgres.who = found.postgres_port, found.postgres_pid

    @property
    def running(self) -> bool:
        """Say whether the processes of all servers live."""
        return self.postgres.pid is not None and all(
            self.kafka.pid(node.id) is not None for node in self.kafka.nodes
        )

    def known(self) -> list[Identity]:
        """Give the processes that the state names, dead or alive."""
        books = [*self.kafka.pids.values(), self.postgres.who]
        return [one for one in books if one is not None]

    def status(self) -> list[ServerStatus]:
        """Ask every server how it is."""
        servers = [
            ServerStatus(
                f"kafka-{node.id}",
                self.kafka.pid(node.id),
                node.port,
                self.kafka.pid(node.id) is not None and self.kafka.answers(node.id),
            )
            for node in self.kafka.nodes
        ]
        database = self.postgres
        healthy = database.pid is not None and database.healthy()
        return [*servers, ServerStatus("postgres", database.pid, database.port, healthy)]

    def start(self, say: Say) -> None:
        """Start those that do not run, and return when all answer.

        Errors: PortTakenError if another program listens on one of their ports; StackError if
        something else cannot be fetched, started or reached.
        """
        if not self.running:
            class_path = jars.class_path(say)
            say("starting Kafka and PostgreSQL")
            with ThreadPoolExecutor(1) as pool:
                preparing = pool.submit(self.kafka.prepare, class_path)
                self.postgres.prepare()
                self.postgres.start()
                preparing.result()
            for node in self.kafka.nodes:
                self.kafka.start(node.id, class_path)
        self.postgres.wait_healthy()
        self.postgres.create_databases()
        self.kafka.wait_healthy()

    def stop(self, *, abruptly: bool = False) -> None:
        """Stop all cleanly, or at once; and all other processes with the stack's mark."""
        if abruptly:
            identity.kill_all(self.kafka.pids.values())
        with ThreadPoolExecutor(1) as pool:
            stopping = pool.submit(self.postgres.stop, immediate=abruptly)
            self.kafka.stop()
            stopping.result()
        identity.end_all(identity.marked(self.home))
