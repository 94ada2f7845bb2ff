"""Ports of the loopback address, for servers that keep theirs over a restart."""

import random
import socket

from shared.local.errors import StackError

LOOPBACK = "127.0.0.1"

# Below the range from which systems lend ports to outgoing connections (from 32768 on Linux, from
# 49152 elsewhere): such a connection could otherwise hold a server's port when it restarts.
LOWEST, HIGHEST = 20_000, 32_000
TRIES = 200


def is_free(port: int) -> bool:
    """Say whether a server could listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose(count: int) -> list[int]:
    """Choose so many different ports that are free now."""
    dice = random.SystemRandom()
    chosen: list[int] = []
    for _ in range(TRIES * count):
        port = dice.randrange(LOWEST, HIGHEST)
        if port not in chosen and is_free(port):
            chosen.append(port)
            if len(chosen) == count:
                return chosen
    message = f"no {count} free ports found between {LOWEST} and {HIGHEST}"
    raise StackError(message)


def require_free(port: int, whose: str) -> None:
    """Refuse to go on if a stranger listens where a server of the stack has to.

    Errors: StackError naming the port and the server.
    """
    if not is_free(port):
        message = f"port {port}, which this stack's {whose} has, is in use by another program"
        raise StackError(message)


def accepts(port: int) -> bool:
    """Say whether somebody accepts connections on this port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
