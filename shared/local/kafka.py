"""Apache Kafka itself: one node, or three, each a Java process with a folder of its own."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from shared.local import identity, jars, ports
from shared.local.errors import StackError
from shared.local.identity import Identity
from shared.local.java import find_java
from shared.local.logs import last_lines, rotate
from shared.local.node import JVM, Node, format_data, properties
from shared.quiet import quiet_logger

HEALTH_SECONDS = 60.0
POLL_SECONDS = 0.1
STOP_SECONDS = 15.0


class KafkaCluster:
    """The nodes of one stack; `changed` is called when another process is in `pids`."""

    def __init__(
        self,
        home: Path,
        nodes: list[Node],
        cluster_id: str,
        changed: Callable[[], None],
    ) -> None:
        self.home = home
        self.nodes = nodes
        self.cluster_id = cluster_id
        self.pids: dict[int, Identity] = {}
        self._changed = changed

    @property
    def bootstrap(self) -> str:
        """Give the addresses of all nodes, as clients want them."""
        return ",".join(f"{ports.LOOPBACK}:{node.port}" for node in self.nodes)

    def folder(self, node: int) -> Path:
        """Name the folder of one node: its settings, data and log."""
        return self.home / "kafka" / f"node-{node}"

    def log(self, node: int) -> Path:
        """Name the file in which one node writes what happens."""
        return self.folder(node) / "server.log"

    def pid(self, node: int = 1) -> int | None:
        """Give the process id of a node that runs; None of one that does not."""
        who = self.pids.get(node)
        return who.pid if who is not None and identity.alive(who) else None

    def prepare(self, class_path: str) -> None:
        """Write the settings, and format the data folders that have never been used."""
        (self.home / "kafka").mkdir(mode=0o700, exist_ok=True)
        for node in self.nodes:
            self.folder(node.id).mkdir(exist_ok=True)
            text = properties(node, self.nodes, self._data(node.id))
            self._settings(node.id).write_text(text)
        fresh = [node for node in self.nodes if not self._data(node.id).exists()]
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            list(pool.map(lambda node: self._format(node, class_path), fresh))

    def start(self, node: int, class_path: str | None = None) -> None:
        """Start one node, unless it runs; `wait_healthy` says when it answers.

        Errors: PortTakenError if another program has one of its ports.
        """
        if self.pid(node) is not None:
            return
        self._require_ports(node)
        rotate(self.log(node))
        self.pids[node] = identity.spawn(
            [
                str(find_java()),
                *JVM,
                "-cp",
                class_path or jars.class_path(),
                "kafka.Kafka",
                str(self._settings(node)),
            ],
            home=self.home,
            log=self.log(node),
            env=identity.plain_environment(),
        )
        self._changed()

    def kill(self, node: int) -> None:
        """Kill one node as a power cut would (SIGKILL), and wait until it is dead."""
        if who := self.pids.get(node):
            identity.kill_all([who])

    def stop(self) -> None:
        """Stop all nodes cleanly, together; one that runs after 15 seconds is killed.

        The last of three nodes always does: without a quorum it cannot leave the cluster.
        """
        running = [who for who in self.pids.values() if identity.alive(who)]
        with ThreadPoolExecutor(max(1, len(running))) as pool:
            list(pool.map(lambda who: identity.stop(who, STOP_SECONDS), running))
        self.pids.clear()
        self._changed()

    def wait_healthy(self, seconds: float = HEALTH_SECONDS) -> None:
        """Wait until the brokers themselves say that all of them are there.

        Errors: StackError with the end of the log if a node died or the time is over;
        PortTakenError if it died because another program took its port.
        """
        until = time.monotonic() + seconds
        while not self.healthy():
            for node in self.nodes:
                if self.pid(node.id) is None:
                    self._require_ports(node.id)
                    self._give_up(node.id, "ended while it started")
            if time.monotonic() > until:
                self._give_up(1, f"did not answer within {seconds:.0f} s")
            time.sleep(POLL_SECONDS)

    def answers(self, node: int) -> bool:
        """Ask one node whether it answers."""
        return broker_count(f"{ports.LOOPBACK}:{self._node(node).port}", self.cluster_id) > 0

    def healthy(self) -> bool:
        """Ask the brokers whether all nodes are in the cluster."""
        if not all(ports.accepts(node.port) for node in self.nodes):
            return False
        return broker_count(self.bootstrap, self.cluster_id) == len(self.nodes)

    def version(self, node: int = 1) -> str:
        """Say the version that a node wrote into its log at its last start, as `4.2.0`.

        Errors: StackError if it has written none.
        """
        said = re.findall(r"Kafka version: (\S+)", self.log(node).read_text(errors="replace"))
        if not said:
            self._give_up(node, "has not said its version")
        return str(said[-1])

    def _format(self, node: Node, class_path: str) -> None:
        format_data(
            self.home,
            node,
            self.nodes,
            cluster_id=self.cluster_id,
            data=self._data(node.id),
            class_path=class_path,
        )

    def _give_up(self, node: int, what: str) -> NoReturn:
        end = last_lines(self.log(node), 15)
        message = f"Kafka node {node} {what}; its log {self.log(node)} ends with:\n{end}"
        raise StackError(message)

    def _require_ports(self, node: int) -> None:
        for port in (self._node(node).port, self._node(node).controller_port):
            ports.require_free(port, f"Kafka node {node}")

    def _node(self, number: int) -> Node:
        return next(node for node in self.nodes if node.id == number)

    def _data(self, node: int) -> Path:
        return self.folder(node) / "data"

    def _settings(self, node: int) -> Path:
        return self.folder(node) / "server.properties"


def admin_client(bootstrap: str) -> AdminClient:
    """Make an admin client that does not print what it cannot reach."""
    quiet = quiet_logger("tertib.local.kafka")
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}, logger=quiet)


def broker_count(bootstrap: str, cluster_id: str | None = None, timeout: float = 5.0) -> int:
    """Give the number of a cluster's brokers; 0 if none answers within the time (seconds).

    0 as well if a cluster with another id answers: a foreign broker on this port.
    """
    try:
        told = admin_client(bootstrap).list_topics(timeout=timeout)
    except KafkaException:
        return 0
    return len(told.brokers) if cluster_id in {None, told.cluster_id} else 0
