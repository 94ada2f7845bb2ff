"""One service that cannot start stops no other's load: it is named, with its reason."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system import letters
from tests.system.whole import Whole

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
POINTS = """[tertib.services]
payroll = payroll.main:launch
[tertib.preview]
payroll = payroll.main:stage
[tertib.exports]
payroll = payroll.main:EXPORTS
[tertib.commands]
payroll = payroll.main:COMMANDS
"""


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the sources be a copy: payroll's module fails, discipline's rules cannot be read."""
    copy = tmp_path / "sources"
    for root in ("services", "shared", "tools"):
        shutil.copytree(ROOT / root, copy / root, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "payroll").mkdir()
    (copy / "payroll/__init__.py").touch()
    (copy / "payroll/main.py").write_text("raise RuntimeError('no tariff')\n")
    about = copy / "payroll-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: payroll\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(POINTS)
    rules = copy / "services/discipline/rules/national.yaml"
    rules.write_text(rules.read_text() + "- {rule_key: half}\n")
    monkeypatch.setenv("PYTHONPATH", str(copy))
    return copy


@pytest.fixture
def stack(tmp_path: Path, sources: Path) -> Iterator[Whole]:
    """Give a stack of its own that may be started."""
    del sources
    (tmp_path / "else").mkdir()
    made = Whole(
        tmp_path / "home",
        tmp_path / "else",
        "smtp://127.0.0.1:1?from=tertib@example.org&starttls=no",
    )
    try:
        yield made
    finally:
        made.tertib("down")


def test_the_others_start_and_load(stack: Whole, tmp_path: Path) -> None:
    """A module that fails and a rule file that cannot be read, by real processes."""
    office = tmp_path / "office"
    office.mkdir()
    letters.write(office)

    up = stack.tertib("up", code=1)
    told = stack.tertib("backfill", office, "--json", code=1)
    said = json.loads(told.stdout)
    out = tmp_path / "out"
    seen = json.loads(stack.tertib("preview", office, "--out", out, "--json", code=1).stdout)

    assert "payroll cannot start: RuntimeError: no tariff" in up.stderr
    assert "discipline cannot start: discipline ended while it started: national.yaml" in up.stderr
    ready = {one["name"]: one["ready"] for one in stack.status()["services"]}
    assert ready == {"attendance": True, "discipline": False, "notifications": True}
    assert said["rows"]["new facts"] > 0
    assert said["broken"]["payroll"] == "RuntimeError: no tariff"
    assert "national.yaml cannot be read: row " in said["broken"]["discipline"]
    assert "Traceback" not in told.stderr
    assert len(stack.export("assessments")) > 0
    assert seen["broken"] == {"payroll": "RuntimeError: no tariff"}
    assert seen["rows"]["assessments"] == len(stack.export("assessments"))


def test_whoever_asks_for_the_broken_one_is_told_why(
    sources: Path, stack: Whole, tmp_path: Path
) -> None:
    del sources
    assert os.environ["PYTHONPATH"]
    done = stack.tertib("serve", "payroll", code=2)

    assert done.stderr.splitlines() == ["payroll cannot be loaded: RuntimeError: no tariff"]
    assert "backfill" in stack.tertib("--help").stdout
