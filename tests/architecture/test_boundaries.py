"""Services keep apart, domains are pure: and the contracts that say so are not vacuous."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
ROOTS = ("services", "shared", "tools")
LINT = "from importlinter.cli import lint_imports_command as run; run()"
RUFF = (sys.executable, "-m", "ruff", "check")

APART = "Services never import one another"
PURE = "A domain does no I/O"
LAYERS = "Tools on services, services on the runtime, the runtime on the events"
NO_WORDS = "The runtime knows the words of no service"
FLOORS = "The runtime's floors"
FACE = "Services use the face of the runtime"
KERNEL = "The kernel stands alone"
ROOMS = "The rooms of attendance"
NO_OUTBOX = "A rebuild has no way into the outbox"
CONTRACTS = (APART, PURE, LAYERS, KERNEL, ROOMS, NO_WORDS, FLOORS, FACE, NO_OUTBOX)


def verdicts(project: Path) -> dict[str, str]:
    """Run import-linter in a folder; give KEPT or BROKEN by the name of the contract."""
    said = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = said.stdout.splitlines()
    found = {
        line.removesuffix(verdict).strip(): verdict
        for line in lines
        for verdict in ("KEPT", "BROKEN")
        if line.endswith(verdict)
    }
    assert (said.returncode == 0) == ("BROKEN" not in found.values()), said.stdout + said.stderr
    return found


def escaped(project: Path) -> set[str]:
    """Name the modules that the import graph does not know."""
    files = [path for root in ROOTS for path in (project / root).rglob("*.py")]
    names = {
        ".".join(path.relative_to(project).with_suffix("").parts).removesuffix(".__init__")
        for path in files
    }
    return names - graph_of(project)


def graph_of(project: Path) -> set[str]:
    """Ask a fresh process, which imports nothing else, for the modules of the graph."""
    ask = f"import grimp; print(*grimp.build_graph(*{ROOTS!r}, cache_dir=None).modules)"
    said = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(said.stdout.split())


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a copy of the source in which a violation may be planted."""
    for root in ROOTS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / root, tmp_path / root, ignore=ignored)
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    return tmp_path


def test_all_contracts_are_kept() -> None:
    assert verdicts(PROJECT) == dict.fromkeys(CONTRACTS, "KEPT")


def test_no_file_escapes_the_import_graph() -> None:
    """A folder without `__init__.py` is left out in silence, and its violations with it."""
    assert "services.attendance.domain.workday" in graph_of(PROJECT)
    assert escaped(PROJECT) == set()


@pytest.mark.parametrize(
    ("where", "line", "contract"),
    [
        (
            "services/discipline/domain/proposing.py",
            "import services.attendance.domain.ledger",
            APART,
        ),
        ("services/attendance/main.py", "from services.notifications import jobs", APART),
        ("services/attendance/domain/workday.py", "import asyncpg", PURE),
        ("services/notifications/domain.py", "import shared.runtime.kafka.topics", PURE),
        ("shared/events/envelope.py", "import services.attendance", LAYERS),
        ("shared/events/base.py", "import shared.runtime.kafka.topics", LAYERS),
        ("shared/local/ports.py", "import shared.runtime.settings", LAYERS),
        ("shared/runtime/outbox/relay.py", "import services.discipline.domain.proposing", LAYERS),
        ("shared/runtime/outbox/relay.py", "from shared.events.attendance import FACTS", NO_WORDS),
        ("services/attendance/main.py", "import tools.demo", LAYERS),
        ("shared/events/base.py", "import shared.kernel.pins", LAYERS),
        ("shared/kernel/pins.py", "import shared.events.envelope", KERNEL),
        ("shared/kernel/holidays.py", "import services.attendance.domain.rules", KERNEL),
        ("shared/kernel/local_time.py", "from pathlib import Path", KERNEL),
        ("shared/kernel/lines.py", "import asyncpg", PURE),
        (
            "services/attendance/dataset/checks.py",
            "import services.attendance.backfill.cuts",
            ROOMS,
        ),
        (
            "services/attendance/dataset/times.py",
            "import services.attendance.facts.envelopes",
            ROOMS,
        ),
        (
            "services/attendance/facts/envelopes.py",
            "import services.attendance.cli.commands",
            ROOMS,
        ),
        ("shared/runtime/kafka/admin.py", "import shared.runtime.storage.store", FLOORS),
        ("shared/runtime/consumer/claims.py", "import shared.runtime.rebuild.replay", FLOORS),
        (
            "shared/runtime/parking/redrive.py",
            "import shared.runtime.storage.outbox_sink",
            NO_OUTBOX,
        ),
        ("services/discipline/exports.py", "import shared.runtime.processing.fold", FACE),
        ("services/notifications/store.py", "import shared.runtime.storage.store", FACE),
        ("services/attendance/main.py", "import shared.runtime.storage.table_sets", FACE),
    ],
)
def test_a_planted_violation_is_caught(copy: Path, where: str, line: str, contract: str) -> None:
    with (copy / where).open("a") as file:
        file.write(f"\n{line}\n")

    assert verdicts(copy)[contract] == "BROKEN"


def test_a_domain_is_impure_also_by_way_of_another_module(copy: Path) -> None:
    (copy / "services/attendance/reading.py").write_text("import asyncpg\n")
    with (copy / "services/attendance/domain/rules.py").open("a") as file:
        file.write("\nimport services.attendance.reading\n")

    assert verdicts(copy)[PURE] == "BROKEN"


def test_a_package_of_the_runtime_says_where_it_stands(copy: Path) -> None:
    """The floors are exhaustive: a package that no line of the contract names is refused."""
    (copy / "shared/runtime/attic").mkdir()
    (copy / "shared/runtime/attic/__init__.py").touch()

    assert verdicts(copy)[FLOORS] == "BROKEN"


def test_a_room_of_attendance_says_where_it_stands(copy: Path) -> None:
    """The rooms are exhaustive, too."""
    (copy / "services/attendance/attic").mkdir()
    (copy / "services/attendance/attic/__init__.py").touch()

    assert verdicts(copy)[ROOMS] == "BROKEN"


def test_a_folder_without_init_hides_a_violation_and_is_found(copy: Path) -> None:
    """The hole: every contract reads KEPT. The plug: the file is named."""
    hidden = copy / "services/attendance/domain/hidden"
    hidden.mkdir()
    (hidden / "planted.py").write_text(
        "import asyncpg\nimport services.discipline.domain.proposing\n"
    )

    assert verdicts(copy) == dict.fromkeys(CONTRACTS, "KEPT")
    assert escaped(copy) == {"services.attendance.domain.hidden.planted"}


@pytest.mark.parametrize(
    "line",
    ["import random", "import time", "import os", "from uuid import uuid4", "import secrets"],
)
def test_a_domain_has_no_clock_and_no_dice(line: str) -> None:
    assert banned("services/attendance/domain/planted.py", line)
    assert banned("services/discipline/domain/proposing.py", line)
    assert banned("services/notifications/domain.py", line)
    assert banned("shared/kernel/local_time.py", line)
    assert not banned("services/attendance/cli/commands.py", line)


def test_a_domain_is_told_the_time() -> None:
    code = "from datetime import datetime\nnow = datetime.now()\n"

    assert banned("services/attendance/domain/planted.py", code)
    assert banned("shared/kernel/planted.py", code)


def banned(where: str, code: str) -> bool:
    """Ask ruff whether a module at that place may say this."""
    said = subprocess.run(
        [*RUFF, "--select", "TID251", "--no-cache", "--stdin-filename", where, "-"],
        cwd=PROJECT,
        input=code,
        capture_output=True,
        text=True,
        check=False,
    )
    return "TID251" in said.stdout
