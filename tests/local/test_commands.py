"""`tertib up`, `down` and `status`, as a script sees them."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shared.local.commands import app, installed_services
from shared.local.processes import Service
from shared.local.stack import LocalStack
from tests.local.test_processes import PROGRAM

DONE, FINDING, COULD_NOT_RUN = 0, 1, 2


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let TERTIB_HOME name a folder in which nothing is yet."""
    monkeypatch.setenv("TERTIB_HOME", str(tmp_path / "stack"))
    return tmp_path / "stack"


def test_no_stack_is_a_finding(home: Path) -> None:
    """Nothing runs: exit code 1, and looking makes no folder."""
    said = CliRunner().invoke(app, ["status"])

    assert (said.exit_code, said.stdout) == (FINDING, f"no stack in {home}\n")
    assert not home.exists()


def test_stopping_what_does_not_run_is_done(home: Path) -> None:
    """Twice `down` is as good as once."""
    said = CliRunner().invoke(app, ["down"])

    assert said.exit_code == DONE
    assert not home.exists()


def test_books_that_cannot_be_read_are_named(home: Path) -> None:
    """Exit code 2, with the file and what to do; nothing is started over them."""
    home.mkdir()
    (home / "stack.json").write_text("{")

    said = CliRunner().invoke(app, ["up"])

    assert said.exit_code == COULD_NOT_RUN
    assert f"{home / 'stack.json'} cannot be read" in said.stderr


def test_two_nodes_are_refused(home: Path) -> None:
    """Two nodes have no majority without either."""
    said = CliRunner().invoke(app, ["up", "--nodes", "2"])

    assert said.exit_code == COULD_NOT_RUN
    assert not home.exists()


def test_installed_services_say_what_to_run() -> None:
    """Whatever is installed, each has a command and a port; nothing installed is no error."""
    services, broken = installed_services()

    assert all(service.argv and service.health_port >= 0 for service in services)
    assert broken == {}


@pytest.mark.system
def test_a_service_runs_on_the_stack(
    stack: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told where everything is, is shown by `status`, and is not started twice."""
    told = tmp_path / "told.json"
    program = f"import json, os\njson.dump(dict(os.environ), open({str(told)!r}, 'w'))\n{PROGRAM}"
    service = Service("example", [sys.executable, "-c", program])
    (stack.home / "ready").touch()
    monkeypatch.setenv("TERTIB_HOME", str(stack.home))

    stack.start_services([service])
    first = stack.services["example"].pid
    stack.start_services([service])
    said = CliRunner().invoke(app, ["status", "--json"])
    stack.services["example"].kill()
    afterwards = CliRunner().invoke(app, ["status"])
    stack.services.forget("example")

    assert stack.environment().items() <= json.loads(told.read_text()).items()
    assert said.exit_code == DONE
    (shown,) = json.loads(said.stdout)["services"]
    assert (shown["name"], shown["pid"], shown["ready"]) == ("example", first, True)
    assert afterwards.exit_code == FINDING
    assert "example                 -" in afterwards.stdout
    assert stack.service_status() == []
