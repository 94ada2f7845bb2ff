"""The type checker sees the fields of every event and fact where it is made."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

PROJECT = Path(__file__).resolve().parents[2]
CACHE = ".mypy_cache"
FOUND = re.compile(r"^(\S+\.py):\d+: error: (.+?)  \[([a-z-]+)\]$", re.MULTILINE)


class Typo(NamedTuple):
    """What somebody might write by mistake, and what mypy says of it."""

    module: str
    written: str
    mistaken: str
    says: str


TYPOS = (
    Typo(  # A wrong name of a field.
        "services/attendance/domain/events.py",
        "late_minutes=day.late,",
        "late_minuts=day.late,",
        'Unexpected keyword argument "late_minuts"',
    ),
    Typo(  # A value of a wrong type.
        "services/discipline/domain/proposing.py",
        "days=said.days,",
        "days=said.tier.article,",
        'Argument "days" to "SanctionProposed" has incompatible type "str"; expected "int"',
    ),
    Typo(  # A required field is missing.
        "services/notifications/domain.py",
        "template=template,",
        "",
        'Missing named argument "template" for "NotificationQueued"',
    ),
    Typo(  # A field that the fact does not have.
        "services/attendance/backfill/broadcasts.py",
        "_closed(regency=context.regency, on=on)",
        '_closed(regency=context.regency, on=on, reason="noon")',
        'Unexpected keyword argument "reason"',
    ),
    Typo(  # The same within a value of a fact: a punch of a check-in.
        "services/attendance/backfill/punch_facts.py",
        "_device(serial=log.serial,",
        "_device(serial=log.line,",
        'Argument "serial" has incompatible type "array[int]"; expected "str"',
    ),
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a copy of the source, with what mypy remembers of it: times of files are kept."""
    ignored = shutil.ignore_patterns("__pycache__")
    for root in ("services", "shared", CACHE):
        if (PROJECT / root).is_dir():
            shutil.copytree(PROJECT / root, tmp_path / root, ignore=ignored)
    shutil.copy2(PROJECT / "pyproject.toml", tmp_path)
    return tmp_path


def errors_of(project: Path) -> set[tuple[str, str]]:
    """Give what mypy says of the modules with a typo: file and message."""
    modules = [f"-m{typo.module.removesuffix('.py').replace('/', '.')}" for typo in TYPOS]
    said = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", CACHE, "--no-pretty", *modules],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode in (0, 1), said.stdout + said.stderr
    return {(file, message) for file, message, _ in FOUND.findall(said.stdout)}


def test_a_typo_in_an_event_is_found_where_it_is_made(copy: Path) -> None:
    assert errors_of(copy) == set()

    for typo in TYPOS:
        text = (copy / typo.module).read_text()
        assert text.count(typo.written) == 1, typo
        (copy / typo.module).write_text(text.replace(typo.written, typo.mistaken))
    found = errors_of(copy)

    for typo in TYPOS:
        assert any(file == typo.module and typo.says in said for file, said in found), typo
    assert {file for file, _ in found} == {typo.module for typo in TYPOS}


def test_no_service_makes_an_event_past_the_type_checker() -> None:
    """`struct_of` gives a class whose fields mypy does not see; `maker_of` shows them."""
    makers = [
        path.relative_to(PROJECT).as_posix()
        for root in ("services", "shared/runtime", "tools")
        for path in (PROJECT / root).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "shared.events.structs"
        if any(name.name in ("struct_of", "envelope_of") for name in node.names)
    ]

    assert makers == []
