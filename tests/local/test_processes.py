"""Services on a stack: small HTTP servers stand in for them here, as real processes."""

import sys
import time
from pathlib import Path

import pytest

from shared.local import ports
from shared.local.errors import StackError
from shared.local.processes import ServiceProcess

PROGRAM = """
import http.server, os, sys

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ready = self.path == "/readyz" and os.path.exists("ready")
        self.send_response(200 if ready else 503)
        self.end_headers()

address = ("127.0.0.1", int(os.environ["TERTIB_HEALTH_PORT"]))
http.server.HTTPServer(address, Answer).serve_forever()
"""
SERVES = [sys.executable, "-c", PROGRAM]
FAILS = [sys.executable, "-c", "raise SystemExit('no database')"]


def service(home: Path) -> tuple[ServiceProcess, list[str]]:
    changes: list[str] = []
    (port,) = ports.choose(1)
    made = ServiceProcess(
        "example", home=home, health_port=port, changed=lambda: changes.append("changed")
    )
    return made, changes


def test_a_service_is_ready_when_it_says_so(tmp_path: Path) -> None:
    """A living process that answers 503 is not ready."""
    one, changes = service(tmp_path)
    one.start(SERVES, {})
    until = time.monotonic() + 20
    while not ports.accepts(one.health_port):
        assert time.monotonic() < until
        time.sleep(0.02)

    before = one.status()
    (tmp_path / "ready").touch()
    one.wait_ready()
    after = one.status()

    assert (before.pid, before.ready) == (one.pid, False)
    assert (after.pid, after.ready) == (one.pid, True)
    assert one.stop()
    assert one.status().pid is None
    assert changes == ["changed", "changed"]


def test_a_killed_service_is_seen_as_dead(tmp_path: Path) -> None:
    """It can be started again on the same port."""
    (tmp_path / "ready").touch()
    one, _ = service(tmp_path)
    one.start(SERVES, {})
    one.wait_ready()
    first = one.pid

    one.kill()
    assert (one.status().pid, one.status().ready) == (None, False)

    one.start(SERVES, {})
    one.wait_ready()
    assert one.pid not in {None, first}
    one.stop()


def test_a_service_that_ends_while_it_starts_is_quoted(tmp_path: Path) -> None:
    """The end of its log says why."""
    one, _ = service(tmp_path)
    one.start(FAILS, {})

    with pytest.raises(StackError, match=r"example ended while it started(?s:.*)no database"):
        one.wait_ready()


def test_a_port_that_a_stranger_has_is_named(tmp_path: Path) -> None:
    """The service is not started beside him."""
    (tmp_path / "ready").touch()
    one, _ = service(tmp_path)
    one.start(SERVES, {})
    one.wait_ready()
    late, _ = service(tmp_path)
    late.health_port = one.health_port

    with pytest.raises(StackError, match=f"port {one.health_port}"):
        late.start(SERVES, {})
    one.stop()
