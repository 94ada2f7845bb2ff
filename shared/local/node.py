"""One node of the broker: its ports, its settings, and the making of its data folder."""

import base64
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.local import identity, ports
from shared.local.errors import StackError
from shared.local.java import find_java

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


def new_cluster_id() -> str:
    """Make an id as Kafka's own tool does: 16 random bytes in URL-safe base64, without padding.

    None that begins with `-`, which a command line would take for an option.
    """
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made


def properties(node: Node, nodes: Sequence[Node], data: Path) -> str:
    """Give the text of one node's settings (measured: reference kafka.md, section 14)."""
    voters = ",".join(f"{one.id}@{ports.LOOPBACK}:{one.controller_port}" for one in nodes)
    clients = f"PLAINTEXT://{ports.LOOPBACK}:{node.port}"
    copies, in_sync = str(len(nodes)), "2" if len(nodes) > 1 else "1"
    settings = {
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
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def format_data(  # noqa: PLR0913  (all but the first three by name)
    home: Path, node: Node, nodes: Sequence[Node], *, cluster_id: str, data: Path, class_path: str
) -> None:
    """Make the data folder of a node under another name, and rename it when it is complete.

    Errors: StackError with what Kafka's own tool said.
    """
    beside = data.with_name(f"{data.name}-being-made")
    settings = data.with_name("format.properties")
    settings.write_text(properties(node, nodes, beside))
    shutil.rmtree(beside, ignore_errors=True)
    tool = [str(find_java()), *JVM, "-cp", class_path, "kafka.tools.StorageTool"]
    said = subprocess.run(
        [*tool, "format", f"-t={cluster_id}", f"-c={settings}", "-g"],
        capture_output=True,
        text=True,
        check=False,
        env=identity.marked_environment(home),
    )
    if said.returncode != 0:
        message = f"Kafka's data folder cannot be made: {said.stdout}{said.stderr}"
        raise StackError(message)
    settings.unlink()
    beside.rename(data)
