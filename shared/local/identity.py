"""Who a process is: a pid alone may name a stranger once its owner has died.

A process is known by its pid and its time of birth. Every process of a stack also carries the
stack's folder in its environment, so that none can be lost, even if whoever started it was killed
before it wrote the pid down.
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
    """A process, for as long as the machine runs: `born` is an opaque mark of when it began."""

    pid: int
    born: str


@cache
def _boot() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else str(int(psutil.boot_time()))


def identify(pid: int) -> Identity | None:
    """Say who has this pid now; None if nobody has, or only a dead child not yet collected."""
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

    The wall clock may be put forward between two looks, and then everybody would seem reborn.
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
    """Give these and the mark of a stack: also for a tool that only prepares it.

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
    """End a process politely, and after the grace (seconds) without asking; True if politely."""
    send(who, first)
    if await_death(who, grace):
        return True
    send(who, signal.SIGKILL)
    await_death(who, DEATH_SECONDS)
    return False


def marked(home: Path) -> list[Identity]:
    """Find every living process that carries this stack's mark, whoever started it."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(home):
                found.append(identify(process.pid))
        except (psutil.Error, OSError):
            continue  # Gone meanwhile, or another user's: then it is none of ours.
    return [one for one in found if one is not None]


def strays(home: Path, known: Iterable[Identity]) -> list[Identity]:
    """Find what carries this stack's mark, and neither is known nor descends from who is."""
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
    """End processes that nobody needs any more, without asking, and wait until they are dead.

    A database server is asked first, by the signal for an immediate end: killed, it would leave
    its shared memory behind, which belongs to no folder.
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
