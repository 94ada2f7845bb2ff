"""The stored state of a stack: `stack.json` in its folder, readable by its owner only."""

import json
import os
import secrets
import threading
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from shared.local import ports
from shared.local.errors import StackError
from shared.local.identity import Identity
from shared.local.jars import KAFKA_VERSION
from shared.local.node import Node, new_cluster_id

FILE = "stack.json"


@dataclass
class State:
    """Ports and secrets, which never change (but see `moved`); and the running processes."""

    nodes: list[Node]
    cluster_id: str
    postgres_port: int
    password: str
    kafka_version: str = KAFKA_VERSION
    kafka_pids: dict[int, Identity] = field(default_factory=dict)
    postgres_pid: Identity | None = None
    health_ports: dict[str, int] = field(default_factory=dict)
    service_pids: dict[str, Identity] = field(default_factory=dict)

    def server_ports(self) -> set[int]:
        """Give the ports of Kafka and PostgreSQL."""
        brokers = {port for node in self.nodes for port in (node.port, node.controller_port)}
        return {self.postgres_port, *brokers}


def choose(nodes: int) -> State:
    """Choose the lasting parts of a new stack; all its ports at once, all different."""
    database, *brokers = ports.choose(1 + 2 * nodes)
    pairs = zip(brokers[::2], brokers[1::2], strict=True)
    made = [Node(number, *pair) for number, pair in enumerate(pairs, start=1)]
    return State(made, new_cluster_id(), database, secrets.token_hex(16))


def moved(kept: State) -> State:
    """Give the same stack with another port in place of each that is in use now.

    Only for a stopped stack: one of its own servers would be taken for another program.
    """
    taken = sorted(port for port in kept.server_ports() if not ports.is_free(port))
    other = ports.choose(len(taken), but={*kept.server_ports(), *kept.health_ports.values()})
    now = dict(zip(taken, other, strict=True))
    return replace(
        kept,
        nodes=[
            Node(
                node.id,
                now.get(node.port, node.port),
                now.get(node.controller_port, node.controller_port),
            )
            for node in kept.nodes
        ],
        postgres_port=now.get(kept.postgres_port, kept.postgres_port),
    )


def read(home: Path) -> State | None:
    """Read the state of the stack in a folder; None if there is none.

    Errors: StackError if the file is not one of ours.
    """
    path = home / FILE
    if not path.exists():
        return None
    try:
        raw = json.loads(path.read_text())
        who = raw["postgres_pid"]
        return State(
            nodes=[Node(**node) for node in raw["nodes"]],
            cluster_id=raw["cluster_id"],
            postgres_port=raw["postgres_port"],
            password=raw["password"],
            kafka_version=raw["kafka_version"],
            kafka_pids={int(node): Identity(**one) for node, one in raw["kafka_pids"].items()},
            postgres_pid=Identity(**who) if who else None,
            health_ports=raw["health_ports"],
            service_pids={name: Identity(**one) for name, one in raw["service_pids"].items()},
        )
    except (ValueError, KeyError, TypeError) as failure:
        message = f"{path} cannot be read ({failure}); if the stack is stopped, remove its folder"
        raise StackError(message) from failure


def write(home: Path, state: State) -> None:
    """Write the state, whole or not at all."""
    # A name of its own for every writer: services are stopped by several threads at once.
    beside = home / f"{FILE}.{os.getpid()}.{threading.get_ident()}.new"
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(asdict(state), file, indent=2)
    beside.replace(home / FILE)
