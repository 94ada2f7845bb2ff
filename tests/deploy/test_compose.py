"""What `docker compose config` would say, and what it would not: no engine is needed."""

import re
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import pytest

from services.notifications.channels.smtp import SmtpSettings
from shared.runtime import settings
from tests.deploy.compose import DATABASES, PROJECT, SERVICES, blocks, compose, environment

KNOWN_KEYS = {
    "build", "cap_drop", "command", "cpus", "depends_on", "environment", "healthcheck", "image",
    "mem_limit", "networks", "pids_limit", "read_only", "restart", "secrets", "security_opt",
    "shm_size", "stop_grace_period", "tmpfs", "user", "volumes",
}  # fmt: skip
CONDITIONS = {"service_healthy", "service_completed_successfully"}
every_block = pytest.mark.parametrize("name", sorted(blocks()))
every_service = pytest.mark.parametrize("name", SERVICES)


def test_every_part_is_there() -> None:
    assert {"kafka", "topics", "mail", *SERVICES, *DATABASES} == set(blocks())


def test_every_service_has_a_block() -> None:
    """Whoever adds a service adds its containers (docs/adding-a-service.md)."""
    folders = {path.parent.name for path in (PROJECT / "services").glob("*/main.py")}

    assert folders == set(SERVICES) <= set(blocks())


@every_block
def test_only_keys_that_compose_knows(name: str) -> None:
    """A misspelt key would be refused by an engine, or worse, be ignored."""
    assert set(blocks()[name]) <= KNOWN_KEYS


@every_block
def test_whatever_is_named_is_defined(name: str) -> None:
    document, block = compose(), blocks()[name]
    volumes = [source for source, *_ in (v.split(":") for v in block.get("volumes", ()))]

    assert set(block["networks"]) <= set(document["networks"])
    assert set(block.get("secrets", ())) <= set(document["secrets"])
    assert {v for v in volumes if not v.startswith(".")} <= set(document["volumes"])
    assert all((PROJECT / v).exists() for v in volumes if v.startswith("."))
    for other, how in block.get("depends_on", {}).items():
        assert how["condition"] in CONDITIONS
        assert other in blocks()


@every_block
def test_whom_it_waits_for_it_can_reach_and_ask(name: str) -> None:
    """A condition on a container that has no health check is never met."""
    block = blocks()[name]
    for other, how in block.get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "test" in blocks()[other]["healthcheck"]
            assert set(block["networks"]) & set(blocks()[other]["networks"])
        else:
            assert not blocks()[other]["restart"].startswith(("always", "unless-stopped"))


@every_block
def test_images_are_pinned(name: str) -> None:
    """An exact version, and its bytes where `deploy/pin-images` has asked a registry for them."""
    version = r"[a-z/]+:v?\d+\.\d+(\.\d+)?(@sha256:[0-9a-f]{64})?"

    assert re.fullmatch(version, blocks()[name]["image"])


@every_block
def test_it_can_be_scaled(name: str) -> None:
    """No name and no port that only one container can have; nothing is published at all."""
    assert {"container_name", "ports"}.isdisjoint(blocks()[name])


@every_block
def test_nobody_may_more_than_his_work_needs(name: str) -> None:
    """No capability, no write on its own disk; memory, processor and processes have an end."""
    block = blocks()[name]

    assert block["read_only"] is True
    assert block["cap_drop"] == ["ALL"]
    assert block["security_opt"] == ["no-new-privileges:true"]
    assert all("size=" in entry for entry in block["tmpfs"])
    assert {"mem_limit", "cpus", "pids_limit"} <= set(block)
    assert 0 < block["cpus"] <= 2  # An engine refuses more than the machine has.


@pytest.mark.parametrize("name", [*SERVICES, "topics"])
def test_ours_may_do_nothing_but_their_work(name: str) -> None:
    block = blocks()[name]

    assert block["user"] == "10001:10001"
    assert [entry.partition(":")[0] for entry in block["tmpfs"]] == ["/tmp"]  # noqa: S108  (its own)
    assert not block.get("volumes")


@every_service
def test_it_is_asked_whether_it_is_ready(name: str) -> None:
    """At `/readyz`, on the port that it is told; and it may take its time to stop."""
    block, told = blocks()[name], environment(name)
    (address,) = re.findall(r"http://[^']+", block["healthcheck"]["test"][-1])

    assert urlsplit(address).path == "/readyz"
    assert str(urlsplit(address).port) == told["TERTIB_HEALTH_PORT"]
    assert block["stop_grace_period"] == "30s"
    assert block["command"] == ["serve", name]
    assert block["build"]["args"] == {"SERVICE": name}


def test_the_topics_are_made_once_for_all() -> None:
    """One job that knows every service; who needs topics waits until it is done."""
    block = blocks()["topics"]

    assert block["command"] == ["topics"]
    assert block["build"]["args"]["SERVICE"].split(",") == list(SERVICES)
    assert block["restart"].startswith("on-failure")
    for name in SERVICES:
        assert blocks()[name]["depends_on"]["topics"] == {
            "condition": "service_completed_successfully"
        }


@pytest.mark.parametrize("name", [*SERVICES, "topics"])
def test_a_process_understands_what_it_is_told(name: str, tmp_path: Any) -> None:
    """Through `settings.load` itself: a variable that it does not know is a typing error."""
    told = dict(environment(name))
    documented = set(re.findall(r"TERTIB_[A-Z_]+", str(settings.__doc__)))
    for variable in told:
        plain = variable.removesuffix("_FILE").replace(name.upper(), "<SERVICE>")
        assert plain in {*documented, "TERTIB_<SERVICE>_DATABASE_URL", "TERTIB_HEALTH_PORT"}
    for variable in [v for v in told if v.endswith("_FILE")]:
        secret = PurePosixPath(told[variable])
        assert secret.parent == PurePosixPath("/run/secrets")
        assert secret.name in blocks()[name]["secrets"]
        (tmp_path / secret.name).write_text(f"postgresql://x@{secret.name}/x")
        told[variable] = str(tmp_path / secret.name)
    understood = settings.load(told)

    assert understood.bootstrap == "kafka:9092"
    assert set(understood.databases) == {name} & set(SERVICES)
    assert understood.log == "json"


def test_nobody_reaches_another_s_database() -> None:
    """A service has its own network with its database, and no secret of another."""
    for name in SERVICES:
        others = {other for other in SERVICES if other != name}
        assert not others & set(blocks()[name]["networks"])
        assert not {s for s in blocks()[name]["secrets"] if s.split("_")[0] in others}
        assert blocks()[f"{name}-db"]["networks"] == [name]


def test_only_who_seals_or_opens_has_the_keyring() -> None:
    has = {name for name in SERVICES if "keyring_url" in blocks()[name]["secrets"]}

    assert has == {"attendance", "notifications"}
    assert {name for name in SERVICES if "keyring" in blocks()[name]["networks"]} == has


def test_networks_lead_nowhere_else() -> None:
    assert all(how == {"internal": True} for how in compose()["networks"].values())


def test_caught_mail_wants_a_login() -> None:
    """It is full of names and reasons; only the planner's service shares its network."""
    assert environment("mail")["MP_UI_AUTH_FILE"] == "/run/secrets/mail_login"
    assert blocks()["mail"]["secrets"] == ["mail_login"]
    assert blocks()["mail"]["networks"] == ["mail"]
    there = {name for name, block in blocks().items() if "mail" in block["networks"]}
    assert there == {"mail", "notifications"}


@pytest.mark.parametrize("name", DATABASES)
def test_a_database_keeps_its_data_and_its_own_role(name: str) -> None:
    """PostgreSQL 18's image keeps its cluster one folder deeper: the volume is its parent."""
    block, own = blocks()[name], name.removesuffix("-db")

    assert block["image"].startswith("postgres:18.")
    assert f"{own}:/var/lib/postgresql" in block["volumes"]
    assert environment(name)["ROLE"] == own
    assert environment(name)["ROLE_PASSWORD_FILE"] == f"/run/secrets/{own}_password"
    assert environment(name)["POSTGRES_PASSWORD_FILE"] == f"/run/secrets/{own}_superuser"
    assert set(block["secrets"]) == {f"{own}_superuser", f"{own}_password"}
    assert "POSTGRES_PASSWORD" not in environment(name)
    assert block["user"] == "postgres"


def test_the_broker_can_read_what_is_compressed() -> None:
    """Its library for zstd is unpacked into /tmp and mapped from there: seen to fail without."""
    (own,) = [entry for entry in blocks()["kafka"]["tmpfs"] if entry.startswith("/tmp:")]  # noqa: S108  (in the container)

    assert "exec" in own.split(",")


def test_the_broker_makes_no_topic_by_chance() -> None:
    told = environment("kafka")

    assert blocks()["kafka"]["image"].partition("@")[0] == "apache/kafka:4.2.0"
    assert told["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert told["KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE"] == "false"
    assert told["KAFKA_PROCESS_ROLES"] == "broker,controller"
    assert told["KAFKA_LOG_DIRS"] in [v.split(":")[1] for v in blocks()["kafka"]["volumes"]]
    assert told["KAFKA_ADVERTISED_LISTENERS"] == "PLAINTEXT://kafka:9092"


def test_the_mail_relay_can_be_used() -> None:
    smtp = SmtpSettings.of(environment("notifications")["TERTIB_SMTP_URL"])

    assert smtp.host in blocks()
    assert smtp.start_tls is False
