"""Stops the servers of a scoped stack when the process that used it has ended, in any way.

Run as a program, it reads its standard input, a pipe that only the parent holds open. A line means
that the parent has cleaned up itself. The end of the pipe without a line, or a parent that has
ended (a forked child of it may still hold the pipe), means that it has not.
"""

import os
import select
import shutil
import subprocess
import sys
from pathlib import Path

from shared.local import identity
from shared.local.identity import Identity

LOOK_SECONDS = 1.0
PROJECT = Path(__file__).resolve().parents[2]


class Watchdog:
    """The parent's end."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @classmethod
    def start(cls, home: Path, *, remove: bool) -> "Watchdog":
        """Watch over the stack in `home` from now on; `remove` its folder with it at the end."""
        me = identity.identify(os.getpid())
        if me is None:
            message = "this process cannot find itself in the process table"
            raise RuntimeError(message)
        what = "remove" if remove else "keep"
        process = subprocess.Popen(
            [sys.executable, "-m", "shared.local.watchdog", str(home), str(me.pid), me.born, what],
            stdin=subprocess.PIPE,
            cwd=PROJECT,
            env={**identity.plain_environment(), "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,
        )
        return cls(process)

    def dismiss(self) -> None:
        """End the watchdog: the stack is stopped."""
        self._process.communicate(b"done\n")


def parent_is_done(parent: Identity) -> bool:
    """Wait until the parent says that it is done (True) or ends without saying so (False)."""
    while True:
        readable, _, _ = select.select([sys.stdin], [], [], LOOK_SECONDS)
        if readable:
            return sys.stdin.readline() != ""
        if not identity.alive(parent):
            return False


def main(home: Path, parent: Identity, *, remove: bool) -> None:
    """Wait for the parent's end, and stop what it left running."""
    if parent_is_done(parent):
        return
    while left := identity.marked(home):
        identity.end_all(left)
    if remove:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main(
        Path(sys.argv[1]), Identity(int(sys.argv[2]), sys.argv[3]), remove=sys.argv[4] == "remove"
    )
