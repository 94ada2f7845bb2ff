"""The identity of a process: when a process has died, its pid may be given to another one.

A process is identified by its pid and its start time. Every process of a stack also has the
stack's folder in its environment, so that all can be found, even if the process that started one
was killed before it stored the pid.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

MARK = "TERTIB_STACK"
POLL_SECONDS = 0.02
DEATH_SECONDS = 10.0

_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Identity:
    """A process, until the machine restarts: `born` is an opaque mark of its start time."""

    pid: int
    born: str


@cache
def _boot() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else str(int(psutil.boot_time()))


def identify(pid: int) -> Identity | None:
    """Give the process that has this pid now; None if there is none, or only a zombie."""
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]
    try:
        process = psutil.Process(pid)
        # The first thread of a dying Java is gone before the others, which still hold its ports.
        if process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1:
            return None
        return Identity(pid, f"{_boot()}:{_birth(process)}")
    except psutil.NoSuchProcess:
        return None


def _birth(process: psutil.Process) -> str:
    """Say when a process began, by a clock that nobody sets: ticks since boot, where there are.

    The wall clock may be changed between two calls; every process would then seem to be new.
    """
    stat = Path(f"/proc/{process.pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[19]
    except FileNotFoundError:
        return f"{process.create_time():.2f}"


def alive(who: Identity | None) -> bool:
    """Say whether this very process still runs."""
    return who is not None and identify(who.pid) == who


def spawn(  # noqa: PLR0913  (all but the first two by name)
    argv: Sequence[str],
    *,
    home: Path,
    log: Path,
    env: Mapping[str, str],
    cwd: Path | None = None,
    user: int | None = None,
    group: int | None = None,
) -> Identity:
    """Start a process of the stack at `home`, in a session of its own, its output into `log`.

    Its environment is `env` and the stack's mark, nothing else: secrets of the caller stay with
    the caller. A Ctrl-C in the terminal does not reach it.
    """
    private = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(private, "ab") as output:
        child = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**env, MARK: str(home)},
            cwd=cwd or home,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            start_new_session=True,
        )
    _children[child.pid] = child
    return identify(child.pid) or Identity(child.pid, "died at once")


def plain_environment() -> dict[str, str]:
    """Give the few variables that a server needs: where programs are, and a neutral locale."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def marked_environment(home: Path) -> dict[str, str]:
    """Give these variables and the mark of a stack; also for a tool that only prepares it.

    A tool that outlives a killed `up` would still write when the stack's folder is removed.
    """
    return {**plain_environment(), MARK: str(home)}


def send(who: Identity, number: signal.Signals) -> None:
    """Send a signal to this very process; do nothing if it is gone."""
    if alive(who):
        try:
            os.kill(who.pid, number)
        except ProcessLookupError:
            return


def await_death(who: Identity, seconds: float) -> bool:
    """Wait until this process is dead; False if it still lives after so many seconds."""
    until = time.monotonic() + seconds
    while alive(who):
        if time.monotonic() > until:
            return False
        time.sleep(POLL_SECONDS)
    return True


def stop(who: Identity, grace: float, first: signal.Signals = signal.SIGTERM) -> bool:
    """Send SIGTERM, and SIGKILL after the grace (seconds); True if SIGTERM was enough."""
    send(who, first)
    if await_death(who, grace):
        return True
    send(who, signal.SIGKILL)
    await_death(who, DEATH_SECONDS)
    return False


def marked(home: Path) -> list[Identity]:
    """Find every living process with this stack's mark, also those of an earlier start."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(home):
                found.append(identify(process.pid))
        except (psutil.Error, OSError):
            continue  # It has ended, or belongs to another user: not one of this stack.
    return [one for one in found if one is not None]


def strays(home: Path, known: Iterable[Identity]) -> list[Identity]:
    """Find processes with this stack's mark that are neither `known` nor their descendants."""
    pids = {one.pid for one in known if alive(one)}
    found = []
    for one in marked(home):
        try:
            ancestors = {process.pid for process in psutil.Process(one.pid).parents()}
        except psutil.NoSuchProcess:
            continue
        if not pids & {one.pid, *ancestors}:
            found.append(one)
    return found


def end_all(whom: Iterable[Identity]) -> None:
    """Kill processes that are no longer needed, and wait until they are dead.

    A database server gets its signal for an immediate shutdown first: if it were killed, its
    shared memory would stay, and belongs to no folder.
    """
    every = list(whom)
    databases = [one for one in every if _name(one) == "postgres"]
    for one in databases:
        send(one, signal.SIGQUIT)
    kill_all(one for one in every if one not in databases)
    for one in databases:
        await_death(one, DEATH_SECONDS)
    kill_all(databases)


def _name(who: Identity) -> str:
    try:
        return str(psutil.Process(who.pid).name())
    except psutil.NoSuchProcess:
        return ""


def kill_all(whom: Iterable[Identity]) -> None:
    """End processes at once, and wait until they are dead."""
    every = list(whom)
    for one in every:
        send(one, signal.SIGKILL)
    for one in every:
        await_death(one, DEATH_SECONDS)
