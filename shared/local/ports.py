"""Ports of the loopback address, for servers that keep theirs over a restart."""

import random
import socket
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager

from shared.local.errors import PortTakenError, StackError

LOOPBACK = "127.0.0.1"

# Below the range of ports for outgoing connections (from 32768 on Linux, from 49152 elsewhere):
# such a connection could otherwise use a server's port while the server restarts.
LOWEST, HIGHEST = 20_000, 32_000
TRIES = 200


def is_free(port: int) -> bool:
    """Say whether a server could listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return _bound(probe, port)


@contextmanager
def held(count: int, but: Collection[int] = ()) -> Iterator[list[int]]:
    """Reserve so many different free ports until the block ends.

    None of `but` is among them: ports of servers that do not listen at the moment.
    Errors: StackError if there are not as many.
    """
    dice = random.SystemRandom()
    chosen: list[int] = []
    with ExitStack() as sockets:
        for _ in range(TRIES * count):
            if len(chosen) == count:
                break
            port = dice.randrange(LOWEST, HIGHEST)
            # Without SO_REUSEADDR: two sockets that both have it, and do not listen, share a port.
            one = sockets.enter_context(socket.socket())
            if port not in but and _bound(one, port):
                chosen.append(port)
            else:
                one.close()
        if len(chosen) < count:
            message = f"no {count} free ports found between {LOWEST} and {HIGHEST}"
            raise StackError(message)
        yield chosen


def choose(count: int, but: Collection[int] = ()) -> list[int]:
    """Choose so many different ports that are free now, as `held` does, and release them."""
    with held(count, but) as chosen:
        return chosen


def require_free(port: int, whose: str) -> None:
    """Raise if another program listens on the port of a server of the stack.

    Errors: PortTakenError naming the port and the server.
    """
    if not is_free(port):
        message = f"port {port}, which this stack's {whose} has, is in use by another program"
        raise PortTakenError(message)


def accepts(port: int) -> bool:
    """Say whether a program accepts connections on this port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def _bound(one: socket.socket, port: int) -> bool:
    try:
        one.bind((LOOPBACK, port))
    except OSError:
        return False
    return True
