import subprocess

import docker
import pytest

from tests.containers.wire import LIMIT_SECONDS, run_wire_tests
from tests.deploy.compose import PROJECT, SERVICES

pytestmark = [pytest.mark.containers, pytest.mark.timeout(2 * LIMIT_SECONDS)]


def test_the_wire_tests_pass_on_the_official_images(
    official_kafka: str, official_postgres: str
) -> None:
    """The same tests, the same clients, other builds of both servers."""
    code, said = run_wire_tests(official_kafka, official_postgres)

    assert code == pytest.ExitCode.OK, said[-8_000:]
    assert " passed" in said


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_is_built_and_starts_as_nobody_on_a_read_only_disk(
    engine: docker.DockerClient, service: str
) -> None:
    """It holds its own service, and no other."""
    image = f"tertib/{service}:test"
    described = ("--tag", image, "--file", "deploy/Dockerfile")
    subprocess.run(
        ["docker", "build", "--build-arg", f"SERVICE={service}", *described, "."],
        cwd=PROJECT,
        check=True,
        timeout=LIMIT_SECONDS,
    )
    script = "import os, services; print(os.getuid(), *sorted(os.listdir(services.__path__[0])))"
    said = engine.containers.run(
        image, ["-P", "-c", script], entrypoint="python", read_only=True, remove=True
    )

    uid, *there = said.decode().split()
    assert uid == "10001"
    assert set(SERVICES) & set(there) == {service}


def test_compose_reads_its_file() -> None:
    """What the engine's own reader says of it; no engine is needed, only the client."""
    known = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    if known.returncode != 0:
        pytest.skip("no `docker compose` on this machine: its own reading is not tried here")
    said = subprocess.run(
        ["docker", "compose", "config", "--quiet"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (said.returncode, said.stderr) == (0, "")
