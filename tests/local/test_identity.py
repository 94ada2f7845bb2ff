"""A pid alone is not a process."""

import os
import signal
import sys
import time
from pathlib import Path

from shared.local import identity
from shared.local.identity import Identity

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
DEAF_PROGRAM = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf")
time.sleep(600)
"""
DEAF = [sys.executable, "-uc", DEAF_PROGRAM]


def begin(argv: list[str], home: Path, mark: Path | None = None) -> Identity:
    return identity.spawn(argv, home=mark or home, cwd=home, log=home / "log", env={})


def test_a_stranger_with_a_recycled_pid_is_never_killed() -> None:
    """The test itself would end if the time of birth were not compared."""
    stranger = Identity(os.getpid(), "another boot:12345")

    identity.kill_all([stranger])

    assert not identity.alive(stranger)
    assert identity.stop(stranger, grace=0)


def test_a_process_ends_when_asked(tmp_path: Path) -> None:
    """SIGTERM is enough for most."""
    one = begin(SLEEP, tmp_path)

    assert identity.alive(one)
    assert identity.stop(one, grace=10)
    assert not identity.alive(one)


def test_a_process_that_does_not_listen_is_killed_after_the_grace(tmp_path: Path) -> None:
    """It is told, too, that it did not end politely."""
    one = begin(DEAF, tmp_path)
    until = time.monotonic() + 20
    while "deaf" not in (tmp_path / "log").read_text():
        assert time.monotonic() < until
        time.sleep(0.02)

    assert not identity.stop(one, grace=0.2, first=signal.SIGTERM)
    assert not identity.alive(one)


def test_processes_are_found_by_the_mark_of_their_stack(tmp_path: Path) -> None:
    """Another stack's process is not among them, and what is in the books is no stray."""
    one, other = begin(SLEEP, tmp_path), begin(SLEEP, tmp_path, tmp_path / "other")

    assert identity.marked(tmp_path) == [one]
    assert identity.strays(tmp_path, known=[]) == [one]
    assert identity.strays(tmp_path, known=[one]) == []

    identity.kill_all([one, other])
    assert identity.marked(tmp_path) == []
