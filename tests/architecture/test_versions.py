"""A fresh machine installs what was tested: exact versions, from whichever index it uses."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[2]
LINES = [
    line
    for line in (PROJECT / "constraints.txt").read_text().splitlines()
    if line.strip() and not line.startswith(("#", " ", "--hash"))
]
PINNED = {canonicalize_name(Requirement(line).name) for line in LINES}


def asked_for() -> set[str]:
    """Name everything that pyproject.toml asks for, in every extra."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    every = [project["dependencies"], *project["optional-dependencies"].values()]
    return {canonicalize_name(Requirement(line).name) for lines in every for line in lines}


def test_everything_is_pinned() -> None:
    assert asked_for() <= PINNED
    assert all(re.search(r"==[\w.]+( *;.*)?$", line) for line in LINES)


def test_no_address_is_in_the_pins() -> None:
    """Where packages come from is the business of the machine that installs them."""
    text = (PROJECT / "constraints.txt").read_text()

    assert "://" not in text
    assert "index-url" not in text
