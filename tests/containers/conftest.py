"""Apache Kafka and PostgreSQL from their official images, the versions of docker-compose.yml."""

import socket
from collections.abc import Iterator

import docker
import pytest
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from tests.deploy.compose import blocks, environment

BROKER, DATABASE = 9092, 5432
PASSWORD = "of-one-test-session"  # noqa: S105  (on loopback, as long as the session lasts)


@pytest.fixture(scope="session")
def engine() -> docker.DockerClient:
    """Give the container engine; where there is none, the tests on it are skipped, and counted."""
    try:
        client = docker.from_env()
        client.ping()
    except DockerException:
        pytest.skip("no container engine answers: the official images are not tried here")
    return client


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def official_kafka(engine: docker.DockerClient) -> Iterator[str]:
    """Start a broker as docker-compose.yml does, and give its address as seen from here."""
    del engine
    port = free_port()
    told = {
        **environment("kafka"),
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
    }
    container = DockerContainer(blocks()["kafka"]["image"]).with_envs(**told)
    container.with_bind_ports(BROKER, port)
    container.waiting_for(LogMessageWaitStrategy("Kafka Server started"))
    with container:
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="session")
def official_postgres(engine: docker.DockerClient) -> Iterator[str]:
    """Start a PostgreSQL, and give the address of its administrator."""
    del engine
    container = DockerContainer(blocks()["keyring-db"]["image"])
    container.with_env("POSTGRES_PASSWORD", PASSWORD).with_exposed_ports(DATABASE)
    # Twice: the image starts it once for itself, to prepare the cluster.
    ready = LogMessageWaitStrategy("database system is ready to accept connections", times=2)
    with container.waiting_for(ready):
        where = f"{container.get_container_host_ip()}:{container.get_exposed_port(DATABASE)}"
        yield f"postgresql://postgres:{PASSWORD}@{where}/postgres"
