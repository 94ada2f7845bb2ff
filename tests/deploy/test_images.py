"""What goes into an image and who it runs as; the secrets that containers are given."""

import re
import stat
import subprocess
import tomllib
from pathlib import Path
from shutil import copy

import pytest

from shared.runtime import settings
from tests.deploy.compose import PROJECT, SERVICES, compose

DOCKERFILE = (PROJECT / "deploy/Dockerfile").read_text()


def instructions(word: str) -> list[str]:
    """Give what follows a word, continued lines joined."""
    joined = re.sub(r"\\\n\s*", "", DOCKERFILE)
    return re.findall(rf"^{word} (.+)$", joined, re.MULTILINE)


def test_it_is_built_for_one_service_and_runs_as_nobody_special() -> None:
    """The same user as in `docker-compose.yml`; the last word before the entry point."""
    assert "SERVICE" in instructions("ARG")
    assert instructions("USER") == ["10001:10001"]
    assert DOCKERFILE.index("\nUSER ") < DOCKERFILE.index("\nENTRYPOINT ")
    assert instructions("ENTRYPOINT") == ['["tertib"]']


def test_its_base_is_pinned_and_old_enough_for_the_project() -> None:
    (default,) = [line for line in instructions("ARG") if line.startswith("PYTHON=")]
    version = re.search(r":(\d+\.\d+)\.\d+-slim-", default)
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]

    assert version is not None
    assert project["requires-python"] == f">={version[1]}"


def test_versions_are_those_that_were_tested() -> None:
    (installs,) = [line for line in instructions("RUN") if "pip install" in line]

    assert '--constraint constraints.txt ".[${SERVICE}]"' in installs


def test_what_it_copies_is_there_and_not_ignored() -> None:
    """Everything is ignored but what is named: no history, no tests, no secret gets in."""
    ignored = (PROJECT / "deploy/Dockerfile.dockerignore").read_text().splitlines()
    allowed = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {
        name
        for line in instructions("COPY")
        if not line.startswith("--from=")
        for name in line.split()[:-1]
    }

    assert "*" in ignored
    assert copied == allowed
    assert all((PROJECT / name).exists() for name in copied)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_brings_an_extra_of_that_name(name: str) -> None:
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]

    assert name in extras["optional-dependencies"]


@pytest.fixture
def deploy(tmp_path: Path) -> Path:
    """Give a folder in which secrets were made."""
    copy(PROJECT / "deploy/secrets.sh", tmp_path)
    subprocess.run([tmp_path / "secrets.sh"], check=True)
    return tmp_path


def test_the_secrets_are_those_that_compose_asks_for(deploy: Path) -> None:
    wanted = {Path(how["file"]).name for how in compose()["secrets"].values()}

    assert {path.name for path in (deploy / "secrets").iterdir()} == wanted
    assert {how["file"] for how in compose()["secrets"].values()} == {
        f"./deploy/secrets/{name}" for name in wanted
    }


def test_secrets_are_long_each_another_and_kept(deploy: Path) -> None:
    """Made again, a password is what it was: the database knows no other."""
    first = {path: path.read_text() for path in (deploy / "secrets").iterdir()}
    subprocess.run([deploy / "secrets.sh"], check=True)

    assert {path: path.read_text() for path in (deploy / "secrets").iterdir()} == first
    passwords = [text for path, text in first.items() if path.name.endswith("_password")]
    assert len(set(passwords)) == len(passwords) == len(SERVICES) + 2
    assert all(re.fullmatch("[0-9a-f]{64}", text) for text in passwords)


def test_secrets_are_behind_a_closed_folder_and_read_by_containers(deploy: Path) -> None:
    """A container's user is another than the one who made them."""
    assert stat.S_IMODE((deploy / "secrets").stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in (deploy / "secrets").iterdir()} == {0o644}


def test_an_address_names_the_database_s_container(deploy: Path) -> None:
    secrets = deploy / "secrets"
    told = settings.load(
        {
            "TERTIB_KAFKA_BOOTSTRAP": "kafka:9092",
            "TERTIB_ATTENDANCE_DATABASE_URL_FILE": str(secrets / "attendance_url"),
        }
    )
    password = (secrets / "attendance_password").read_text()

    assert told.database_url("attendance") == (
        f"postgresql://attendance:{password}@attendance-db:5432/attendance"
    )


def test_no_secret_is_committed() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "deploy/secrets"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()

    assert tracked == ["deploy/secrets/.gitignore"]
    assert (PROJECT / tracked[0]).read_text().splitlines()[1:] == ["*", "!.gitignore"]
