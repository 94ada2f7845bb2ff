"""The compose file as it runs: loaded with the demo's dataset, scaled, killed part by part.

Where no registry gives the official images of Kafka and PostgreSQL, `engine.sh` makes stand-ins:
then this proves our side (start order, health, users, read-only disks, networks, limits, secrets).
"""

import csv
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import docker
import pytest

from tests.containers.project import Project, has_compose, health, tertib, until
from tests.deploy.compose import DATABASES, SERVICES, blocks
from tools.simulate.simulation import Simulated, simulate

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1_800)]

GIB = 2**30
LASTING = sorted(set(blocks()) - {"topics"})
TABLES = {"assessments": "attendance", "thresholds": "attendance", "proposals": "discipline"}


@pytest.fixture(scope="module")
def project(
    engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """Build our images, one after another, and start all of it."""
    if not has_compose():
        pytest.skip("no `docker compose` on this machine: the compose file is not run here")
    made = Project(engine, tmp_path_factory.mktemp("project"))
    for service in (*SERVICES, "topics"):
        how = blocks()[service]
        subprocess.run(
            ["docker", "build", "--quiet", "--tag", how["image"], "--file", "deploy/Dockerfile",
             "--build-arg", f"SERVICE={how['build']['args']['SERVICE']}", "."],
            check=True, capture_output=True, timeout=900,
        )  # fmt: skip
    try:
        made.compose("up", "--detach", "--no-build", "--wait")
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Simulated]:
    """Make the demo's dataset, readable for the user of a container."""
    folder = tmp_path_factory.mktemp("dataset") / "data"
    made = simulate(folder, 400, 90, 1)
    return folder, made


def test_all_parts_are_healthy_and_the_topics_are_made(project: Project) -> None:
    for name in LASTING:
        (container,) = project.containers(name)
        assert health(container) == "healthy"
    (topics,) = project.containers("topics")

    assert topics.attrs["State"]["ExitCode"] == 0
    assert b"topics are there" in topics.logs()


@pytest.mark.parametrize("name", LASTING)
def test_limits_and_the_read_only_disk_are_in_force(project: Project, name: str) -> None:
    """The engine's word, not the file's; none runs as root."""
    (container,) = project.containers(name)
    how = container.attrs["HostConfig"]
    code, said = container.exec_run(["cat", "/proc/1/status"])
    status = dict(line.split(":\t") for line in said.decode().splitlines() if ":\t" in line)

    assert code == 0
    assert 0 < how["Memory"] <= 2 * GIB
    assert 0 < how["NanoCpus"] <= 2_000_000_000
    assert 0 < how["PidsLimit"] <= 1_024
    assert how["ReadonlyRootfs"] is True
    assert set(status["Uid"].split()).isdisjoint({"0"})
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"


@pytest.mark.parametrize("name", LASTING)
def test_no_container_has_a_way_out(
    engine: docker.DockerClient, project: Project, name: str
) -> None:
    """The engine forwards nothing out of any network that it is in, and publishes no port."""
    (container,) = project.containers(name)
    networks = container.attrs["NetworkSettings"]["Networks"]

    assert networks
    assert all(engine.networks.get(each).attrs["Internal"] for each in networks)
    assert not any(container.attrs["NetworkSettings"]["Ports"].values())


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_finds_its_own_database_and_no_other(project: Project, name: str) -> None:
    others = [f"{other}-db" for other in SERVICES if other != name]
    script = f"""
import socket
def found(name):
    try:
        return bool(socket.getaddrinfo(name, 5432))
    except socket.gaierror:
        return False
print(found("{name}-db"), *map(found, {others!r}))
"""

    assert project.python(name, script) == "True False False"


@pytest.mark.parametrize("name", DATABASES)
def test_a_superuser_s_password_opens_one_database(project: Project, name: str) -> None:
    """Who learns one of them has not learnt the others."""
    (container,) = project.containers(name)
    opened = set()
    for other in DATABASES:
        password = project.secret(f"{other.removesuffix('-db')}_superuser")
        # By its name in the network: over loopback, the image asks for no password.
        asked = ["psql", "--host", name, "--username", "postgres", "--command", "SELECT 1"]
        code, _ = container.exec_run(asked, environment={"PGPASSWORD": password})
        if code == 0:
            opened.add(other)

    assert opened == {name}


def test_caught_mail_is_behind_a_login(project: Project) -> None:
    """Whoever shares its network sees nothing without it."""
    script = f"""
import base64, urllib.error, urllib.request
def asked(**headers):
    request = urllib.request.Request("http://mail:8025/api/v1/messages", headers=headers)
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error:
        return error.code
login = base64.b64encode({project.secret("mail_login")!r}.encode()).decode()
print(asked(), asked(Authorization="Basic " + login))
"""

    assert project.python("notifications", script) == "401 200"


def test_what_is_concluded_survives_scaling_and_a_kill_of_each_part(
    project: Project, dataset: tuple[Path, Simulated], tmp_path: Path
) -> None:
    """Half of the dataset; then two of attendance, and each part killed while more comes in.

    In the end the tables are, byte for byte, what the same facts give in memory.
    """
    folder, made = dataset
    tertib("preview", str(folder), "--out", str(tmp_path), codes=(1,))
    middle = made.through - timedelta(days=45)
    words = ("run", "--rm", "--no-deps", "-T", "--volume", f"{folder}:/data:ro", "attendance")
    project.compose(*words, "backfill", "/data", "--through", middle.isoformat(), codes=(1,))

    scaled = ("--scale", "attendance=2", "--scale", "notifications=2")
    project.compose("up", "--detach", "--no-build", "--no-recreate", "--wait", *scaled)
    both = project.containers("attendance")
    assert len(both) == 2

    def shared() -> bool:
        groups = [group for each in both for group in project.status(each)["groups"].values()]
        return len(groups) > 1 and all(group["claimed"] for group in groups)

    until(shared, "both members of attendance have partitions")

    # Each part dies while some days more are loaded.
    for number, name in enumerate(LASTING, start=1):
        until_then = (middle + timedelta(days=4 * number)).isoformat()
        with subprocess.Popen(
            project.command(*words, "backfill", "/data", "--through", until_then),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as load:
            project.crash(project.containers(name)[0])
            load.wait(600)
    # What the kills have broken off is done by saying it again.
    project.compose(*words, "backfill", "/data", codes=(1,))

    for table, service in TABLES.items():
        said = project.compose("exec", "-T", service, "tertib", "export", table, "--format", "csv")
        expected = (tmp_path / f"{table}.csv").read_text()
        assert list(csv.reader(said.splitlines())) == list(csv.reader(expected.splitlines()))
        assert said.count("\n") > 1


def test_a_container_writes_parquet(project: Project) -> None:
    """Its library is cut down in the image to what this needs."""
    project.compose(
        *("exec", "-T", "attendance", "tertib", "export", "assessments"),
        *("--format", "parquet", "--out", "/tmp/table"),  # noqa: S108  (in the container)
    )
    script = "from pyarrow import parquet as p; print(p.read_table('/tmp/table').num_columns)"

    assert project.python("attendance", script) == "8"
