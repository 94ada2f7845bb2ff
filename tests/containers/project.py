"""`docker-compose.yml` as a running project: a name, a folder and secrets of its own."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container

from tests.deploy.compose import PROJECT

POLL_SECONDS = 0.5
LONG_SECONDS = 300.0


class Project:
    """The containers of one run; `compose` is the command, told which project is meant."""

    def __init__(self, engine: docker.DockerClient, folder: Path) -> None:
        self.engine = engine
        self.name = f"tertib-{secrets.token_hex(4)}"
        self.folder = folder
        shutil.copytree(PROJECT / "deploy/postgres", folder / "deploy/postgres")
        shutil.copy(PROJECT / "deploy/secrets.sh", folder / "deploy")
        subprocess.run([folder / "deploy/secrets.sh"], check=True)

    def command(self, *words: str) -> list[str]:
        """Give the words of a compose command."""
        which = ("--file", str(PROJECT / "docker-compose.yml"), "--project-name", self.name)
        return ["docker", "compose", *which, "--project-directory", str(self.folder), *words]

    def compose(self, *words: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run a compose command, and give what it says on standard output.

        Errors: AssertionError with all that it said, if it ends with another exit code.
        """
        done = subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            timeout=2 * LONG_SECONDS,
            check=False,
        )
        assert done.returncode in codes, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def secret(self, name: str) -> str:
        """Give the content of a file of secrets."""
        return (self.folder / "deploy/secrets" / name).read_text()

    def containers(self, block: str) -> list[Container]:
        """Give the containers of a block of the file that run, or would."""
        labels = (f"com.docker.compose.project={self.name}", f"com.docker.compose.service={block}")
        found: list[Container] = self.engine.containers.list(
            all=True, filters={"label": [*labels, "com.docker.compose.oneoff=False"]}
        )
        return found

    def python(self, block: str, script: str) -> str:
        """Run a script in a container of ours, and give what it prints."""
        return self.compose("exec", "-T", block, "python", "-P", "-c", script).strip()

    def status(self, container: Container) -> dict[str, Any]:
        """Give what a process of ours says of itself."""
        script = "import urllib.request as r; print(r.urlopen('{}').read().decode())"
        address = "http://127.0.0.1:8080/status"
        code, said = container.exec_run(["python", "-P", "-c", script.format(address)])
        assert code == 0, said
        answer: dict[str, Any] = json.loads(said)
        return answer

    def crash(self, container: Container) -> None:
        """Kill the first process of a container as the kernel would, and wait until it is back.

        From outside, in the engine's own pid namespace: `docker kill` would count as the wish of
        an operator, after which nothing is started again.
        """
        container.reload()
        before, pid = container.attrs["RestartCount"], container.attrs["State"]["Pid"]
        self.engine.containers.run(
            "tertib/attendance:0.1.0",
            ["-c", f"kill -9 {pid}"],
            entrypoint="sh",
            user="0",
            pid_mode="host",
            remove=True,
        )

        def is_back() -> bool:
            container.reload()
            return container.attrs["RestartCount"] == before + 1 and health(container) == "healthy"

        until(is_back, f"{container.name} is started again and healthy")

    def end(self) -> None:
        """Remove the containers, their networks and their data; leave the images."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "20")


def health(container: Container) -> str:
    """Give what the engine thinks of a container's health."""
    said: str = container.attrs["State"].get("Health", {}).get("Status", "none")
    return said


def until(holds: Callable[[], bool], what: str, seconds: float = LONG_SECONDS) -> None:
    """Wait until something holds. Errors: AssertionError, saying what did not come."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(POLL_SECONDS)


def has_compose() -> bool:
    """Say whether the machine's `docker` knows `compose`."""
    asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return asked.returncode == 0


def tertib(*words: str, codes: tuple[int, ...] = (0,)) -> str:
    """Run `tertib` on this machine, outside of every container."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "shared.runtime.cli", *words],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "TERTIB_LOG": "json"},
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
        check=False,
    )
    assert done.returncode in codes, done.stderr
    return done.stdout
