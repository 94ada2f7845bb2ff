"""`tertib up` gives everything: servers and services, ready; `tertib down` leaves nothing."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from shared.runtime import settings
from shared.runtime.hosting import catch_up
from shared.runtime.hosting.catch_up import wait_until_caught_up

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[3]
SERVICES = ["attendance", "discipline", "notifications"]


class Tertib:
    """The word `tertib` with a home of its own, called from a folder that has nothing of ours."""

    def __init__(self, home: Path, elsewhere: Path) -> None:
        self.home = home
        self.elsewhere = elsewhere
        self.env = {**os.environ, "TERTIB_HOME": str(home), "PYTHONPATH": str(ROOT)}

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "shared.runtime.cli", *words],
            env=self.env,
            cwd=self.elsewhere,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
        if "this should not happen" in done.stderr:
            raise AssertionError(done.stderr)
        return done

    def status(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self("status", "--json").stdout)
        return told

    def pids(self) -> dict[str, int | None]:
        return {one["name"]: one["pid"] for one in self.status()["services"]}

    def logs(self) -> str:
        return "".join(path.read_text() for path in sorted(self.home.glob("services/*.log*")))


@pytest.fixture(scope="module")
def tertib(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tertib]:
    word = Tertib(tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("elsewhere"))
    up = word("up")
    assert up.returncode == 0, up.stderr
    yield word
    word("down")


def test_after_up_everything_answers(tertib: Tertib) -> None:
    status = tertib.status()

    assert status["well"]
    assert [one["name"] for one in status["services"]] == SERVICES
    assert all(one["ready"] for one in status["services"])


def test_up_again_starts_nothing_again(tertib: Tertib) -> None:
    before = tertib.pids()

    assert tertib("up").returncode == 0
    assert tertib.pids() == before


async def test_a_killed_service_is_seen_named_and_started_again(
    tertib: Tertib, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status does not believe its books, and nobody waits for the dead."""
    pid = tertib.pids()["discipline"]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=10)

    assert tertib("status").returncode == 1
    assert tertib.pids()["discipline"] is None
    monkeypatch.setattr(catch_up, "SILENT_SECONDS", 1.0)
    left = await wait_until_caught_up(settings.load(tertib.env))
    assert left.gone["discipline"].startswith("does not answer at http://127.0.0.1:")
    assert tertib("up").returncode == 0
    assert tertib.status()["well"]
    assert (await wait_until_caught_up(settings.load(tertib.env))).nothing


def test_a_dataset_goes_through_and_no_person_stands_in_a_log(
    tertib: Tertib, tmp_path: Path
) -> None:
    """Reliability 6: everything that was logged is searched for every value of a person."""
    dataset, tables = tmp_path / "dataset", tmp_path / "tables"
    words = ["--employees", "60", "--days", "40", "--seed", "3", "--out", str(dataset)]
    assert tertib("simulate", *words).returncode == 0
    assert tertib("preview", str(dataset), "--out", str(tables)).returncode in {0, 1}
    assert tertib("backfill", str(dataset)).returncode in {0, 1}

    for table in ("assessments", "thresholds", "proposals"):
        exported = tertib("export", table).stdout
        assert exported.count("\n") > 1, table
        assert exported == (tables / f"{table}.csv").read_text(), table
    personal = _personal(dataset)
    assert len(personal) > 20
    logs = tertib.logs()
    assert "batch_taken" in logs
    assert [value for value in personal if value in logs] == []


def _personal(dataset: Path) -> set[str]:
    """Give the names, NIPs and addresses of a dataset, but those too short to be looked for."""
    values: set[str] = set()
    for file, columns in (("employees.csv", ("nip", "name")), ("contacts.csv", ("address",))):
        with (dataset / file).open(newline="", encoding="utf-8") as rows:
            values |= {row[column] for row in csv.DictReader(rows) for column in columns}
    return {value for value in values if len(value) > 4}


def test_down_ends_every_process_and_keeps_the_data(tertib: Tertib) -> None:
    """The last of this file: it ends what the others used."""
    pids = [pid for pid in tertib.pids().values() if pid is not None]
    before = tertib("export", "assessments").stdout

    assert tertib("down").returncode == 0
    assert [pid for pid in pids if _lives(pid)] == []
    assert tertib("status").returncode == 1
    assert tertib("up").returncode == 0
    assert tertib("export", "assessments").stdout == before


def _lives(pid: int) -> bool:
    """Say whether a process still runs; one that is dead and not yet buried does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
