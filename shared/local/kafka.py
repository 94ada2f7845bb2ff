"""Apache Kafka itself: one node, or three, each a Java process with a folder of its own."""

import base64
import re
import subprocess
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from logging import NullHandler, getLogger
from pathlib import Path
from typing import NoReturn

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from shared.local import identity, jars, ports
from shared.local.errors import StackError
from shared.local.identity import Identity
from shared.local.java import find_java
from shared.local.logs import last_lines, rotate

HEALTH_SECONDS = 60.0
POLL_SECONDS = 0.1
STOP_SECONDS = 15.0

# A small heap and the simplest compiler and collector: a broker of a developer's machine starts in
# three seconds and takes 225 MB.
JVM = (
    "-Xms256m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:MaxDirectMemorySize=128m",
    "--enable-native-access=ALL-UNNAMED",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka=warn",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.utils.AppInfoParser=info",
)


@dataclass(frozen=True)
class Node:
    """One broker and controller: its number, and the ports of its clients and its controller."""

    id: int
    port: int
    controller_port: int


def choose_nodes(count: int) -> list[Node]:
    """Number the nodes from 1 and choose ports for them."""
    chosen = ports.choose(2 * count)
    return [Node(n + 1, chosen[2 * n], chosen[2 * n + 1]) for n in range(count)]


def properties(node: Node, nodes: list[Node], data: Path) -> dict[str, str]:
    """Give the settings of one node (reference kafka.md, section 14)."""
    voters = ",".join(f"{one.id}@{ports.LOOPBACK}:{one.controller_port}" for one in nodes)
    clients = f"PLAINTEXT://{ports.LOOPBACK}:{node.port}"
    copies, in_sync = str(len(nodes)), "2" if len(nodes) > 1 else "1"
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.id),
        "controller.quorum.voters": voters,
        "listeners": f"{clients},CONTROLLER://{ports.LOOPBACK}:{node.controller_port}",
        "advertised.listeners": clients,
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data),
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
        "replica.lag.time.max.ms": "5000",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "log.cleaner.dedupe.buffer.size": "2097152",  # The default of 128 MB kills a small heap.
        "num.network.threads": "1",
        "num.io.threads": "2",
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
    }


class KafkaCluster:
    """The nodes of one stack, in `folder`; who runs is read from and written to `pids`."""

    def __init__(
        self, home: Path, nodes: list[Node], cluster_id: str, pids: dict[int, Identity]
    ) -> None:
        self.home = home
        self.nodes = nodes
        self.cluster_id = cluster_id
        self.pids = pids

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
        fresh = [node for node in self.nodes if not self._data(node.id).exists()]
        for node in self.nodes:
            self.folder(node.id).mkdir(parents=True, exist_ok=True)
            lines = properties(node, self.nodes, self._data(node.id)).items()
            text = "".join(f"{key}={value}\n" for key, value in lines)
            self._settings(node.id).write_text(text)
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            list(pool.map(lambda node: self._format(node, class_path), fresh))

    def start(self, node: int, class_path: str | None = None) -> None:
        """Start one node, unless it runs; `wait_healthy` says when it answers.

        Errors: StackError if a stranger has its port.
        """
        if self.pid(node) is not None:
            return
        for port in (self._node(node).port, self._node(node).controller_port):
            ports.require_free(port, f"Kafka node {node}")
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

    def kill(self, node: int) -> None:
        """Kill one node as a power cut would (SIGKILL), and wait until it is dead."""
        if who := self.pids.get(node):
            identity.kill_all([who])

    def stop(self) -> None:
        """Stop all nodes cleanly, together; who has not stopped after 15 seconds is killed.

        The last of three nodes has no quorum left to say goodbye to: it is always among those.
        """
        running = [who for who in self.pids.values() if identity.alive(who)]
        with ThreadPoolExecutor(max(1, len(running))) as pool:
            list(pool.map(lambda who: identity.stop(who, STOP_SECONDS), running))
        self.pids.clear()

    def wait_healthy(self, seconds: float = HEALTH_SECONDS) -> None:
        """Wait until the brokers themselves say that all of them are there.

        Errors: StackError with the end of the log if a node died or the time is over.
        """
        until = time.monotonic() + seconds
        while not self.healthy():
            for node in self.nodes:
                if self.pid(node.id) is None:
                    self._give_up(node.id, "ended while it started")
            if time.monotonic() > until:
                self._give_up(1, f"did not answer within {seconds:.0f} s")
            time.sleep(POLL_SECONDS)

    def healthy(self) -> bool:
        """Ask the brokers whether all nodes are in the cluster."""
        if not all(ports.accepts(node.port) for node in self.nodes):
            return False
        return broker_count(self.bootstrap) == len(self.nodes)

    def version(self, node: int = 1) -> str:
        """Say the version that a node wrote into its log at its last start, as `4.2.0`.

        Errors: StackError if it has written none.
        """
        said = re.findall(r"Kafka version: (\S+)", self.log(node).read_text(errors="replace"))
        if not said:
            self._give_up(node, "has not said its version")
        return str(said[-1])

    def _give_up(self, node: int, what: str) -> NoReturn:
        end = last_lines(self.log(node), 15)
        message = f"Kafka node {node} {what}; its log {self.log(node)} ends with:\n{end}"
        raise StackError(message)

    def _node(self, number: int) -> Node:
        return next(node for node in self.nodes if node.id == number)

    def _data(self, node: int) -> Path:
        return self.folder(node) / "data"

    def _settings(self, node: int) -> Path:
        return self.folder(node) / "server.properties"

    def _format(self, node: Node, class_path: str) -> None:
        """Format a data folder beside its place and move it there: half a format never counts."""
        done = self._data(node.id)
        beside = done.with_name("data-being-formatted")
        settings = done.with_name("format.properties")
        lines = properties(node, self.nodes, beside).items()
        settings.write_text("".join(f"{key}={value}\n" for key, value in lines))
        _remove_tree(beside)
        said = subprocess.run(
            [
                str(find_java()),
                *JVM,
                "-cp",
                class_path,
                "kafka.tools.StorageTool",
                "format",
                f"-t={self.cluster_id}",
                f"-c={settings}",
                "-g",
            ],
            capture_output=True,
            text=True,
            check=False,
            env=identity.plain_environment(),
        )
        if said.returncode != 0:
            message = f"Kafka's data folder cannot be formatted: {said.stdout}{said.stderr}"
            raise StackError(message)
        settings.unlink()
        beside.rename(done)


def _remove_tree(folder: Path) -> None:
    if folder.exists():
        import shutil  # noqa: PLC0415

        shutil.rmtree(folder)


def new_cluster_id() -> str:
    """Make an id as Kafka's own tool does: 16 random bytes in URL-safe base64, without padding."""
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made


def admin_client(bootstrap: str) -> AdminClient:
    """Make an admin client that does not print what it cannot reach."""
    quiet = getLogger("tertib.local.kafka")
    quiet.propagate = False
    quiet.addHandler(NullHandler())
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}, logger=quiet)


def broker_count(bootstrap: str, timeout: float = 5.0) -> int:
    """Ask a cluster how many brokers it has now; 0 if nobody answers within the time (seconds)."""
    try:
        return len(admin_client(bootstrap).list_topics(timeout=timeout).brokers)
    except KafkaException:
        return 0
