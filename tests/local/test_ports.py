"""Ports are chosen together, and chosen again while nobody knows them."""

import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from shared.local import ports, state
from shared.local.errors import PortTakenError, StackError
from shared.local.processes import Service
from shared.local.services import Services
from shared.local.stack import LocalStack
from tests.local.records import consume, make_topic, produce
from tests.local.test_processes import SERVES


@contextmanager
def stranger(port: int) -> Iterator[None]:
    """Listen on a port, as another program or another stack does."""
    with socket.create_server((ports.LOOPBACK, port)):
        yield


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """Leave eight ports to choose from, so that a collision is certain and not merely possible."""
    while True:
        (lowest,) = ports.choose(1)
        if nobody_has(range(lowest, lowest + 8)):
            monkeypatch.setattr(ports, "LOWEST", lowest)
            monkeypatch.setattr(ports, "HIGHEST", lowest + 8)
            return lowest


def nobody_has(wanted: Iterable[int]) -> bool:
    """Say whether all of these can be bound at once.

    A port on which a server of a test before has just ended a connection can be listened on, and
    yet not be bound by `held`, which asks for more: `is_free` would promise too much here.
    """
    with ExitStack() as sockets:
        try:
            for port in wanted:
                sockets.enter_context(socket.socket()).bind((ports.LOOPBACK, port))
        except OSError:
            return False
    return True


def just_ended(port: int) -> None:
    """Leave a connection's remains on a port: its server has closed it first, and is gone."""
    with (
        socket.create_server((ports.LOOPBACK, port)) as server,
        socket.create_connection((ports.LOOPBACK, port)) as client,
    ):
        server.accept()[0].close()
        assert client.recv(1) == b""


def test_a_port_with_remains_of_a_connection_is_not_chosen_but_can_be_kept(few: int) -> None:
    """Whoever has it may start again on it; nobody new moves in, as `held` could not hold it."""
    just_ended(few)

    ports.require_free(few, "broker")
    assert not nobody_has([few])
    assert sorted(ports.choose(7)) == list(range(few + 1, few + 8))
    with pytest.raises(StackError, match="no 8 free ports"):
        ports.choose(8)


def test_ports_chosen_at_once_differ(few: int) -> None:
    assert sorted(ports.choose(8)) == list(range(few, few + 8))
    with pytest.raises(StackError, match="no 9 free ports"):
        ports.choose(9)


def test_two_who_choose_at_the_same_time_do_not_meet(few: int) -> None:
    """The first holds what it has chosen until it has all."""
    with ports.held(5) as mine, ports.held(3) as theirs:
        assert sorted([*mine, *theirs]) == list(range(few, few + 8))


def test_a_port_of_somebody_who_sleeps_is_left_to_him(few: int) -> None:
    assert ports.choose(1, but=range(few, few + 7)) == [few + 7]


@pytest.mark.usefixtures("few")
def test_all_servers_of_a_stack_have_ports_of_their_own() -> None:
    """Three nodes with two ports each, and the database."""
    assert len(state.choose(3).server_ports()) == 7


def test_only_the_port_that_is_taken_is_chosen_anew() -> None:
    kept = state.choose(1)
    with stranger(kept.postgres_port):
        now = state.moved(kept)

    assert now.postgres_port not in kept.server_ports()
    assert (now.nodes, now.cluster_id, now.password) == (
        kept.nodes,
        kept.cluster_id,
        kept.password,
    )


def test_services_started_together_have_ports_of_their_own(few: int, tmp_path: Path) -> None:
    """The second is chosen before the first listens; a server's port is left to the server."""
    services = Services(tmp_path, lambda: None)
    names = ("one", "two", "three")
    idle = [sys.executable, "-c", "input()"]

    services.start([Service(name, idle) for name in names], {}, print, but=range(few, few + 5))
    found = services.health_ports()
    services.stop(print, abruptly=True)

    assert sorted(found.values()) == [few + 5, few + 6, few + 7]


def test_a_service_takes_another_port_when_its_own_is_taken(tmp_path: Path) -> None:
    """But one that was told its port is refused: somebody asks for it there."""
    (tmp_path / "ready").touch()
    services = Services(tmp_path, lambda: None)
    services.start([Service("one", SERVES)], {}, print)
    services.wait_ready([Service("one", SERVES)])
    before = services.health_ports()["one"]
    services.stop(print, abruptly=True)

    with stranger(before):
        services.start([Service("one", SERVES)], {}, print)
        assert services.wait_ready([Service("one", SERVES)]) == {}
        after = services.health_ports()["one"]
        refused = services.start([Service("told", SERVES, before)], {}, print)
        assert f"port {before}" in refused["told"]
    services.stop(print, abruptly=True)

    assert after != before


@pytest.mark.system
def test_a_stack_that_stands_still_moves_from_a_taken_port(tmp_path: Path) -> None:
    """New, it has told nobody where it is; stopped, its records and rows do not know either."""
    home = tmp_path / "stack"
    home.mkdir()
    chosen = state.choose(1)
    state.write(home, chosen)
    with stranger(chosen.nodes[0].port), LocalStack.scoped(home) as stack:
        first = stack.kafka.nodes[0]
        make_topic(stack.kafka_bootstrap, "records")
        produce(stack.kafka_bootstrap, "records", b"kept")
    assert first.port != chosen.nodes[0].port

    with (
        stranger(first.controller_port),
        stranger(chosen.postgres_port),
        LocalStack.scoped(home) as stack,
    ):
        assert consume(stack.kafka_bootstrap, "records", 1) == [b"kept"]
        assert stack.kafka.nodes[0].port == first.port
        assert stack.kafka.nodes[0].controller_port != first.controller_port
        assert stack.postgres.port != chosen.postgres_port
        assert all(server.healthy for server in LocalStack(home).status())


@pytest.mark.system
def test_a_stack_that_runs_keeps_its_ports(tmp_path: Path) -> None:
    """The database knows no port of the broker, but whoever talks to both does: refused."""
    with LocalStack.scoped(tmp_path / "stack") as stack:
        port = stack.kafka.nodes[0].port
        stack.kafka.kill(1)
        with stranger(port), pytest.raises(PortTakenError, match=f"port {port}"):
            stack.up()

        assert stack.kafka.nodes[0].port == port
