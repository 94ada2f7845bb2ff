"""`docker-compose.yml` as plain data."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]
SERVICES = ("attendance", "discipline", "notifications")
DATABASES = (*(f"{name}-db" for name in SERVICES), "keyring-db")


@cache
def compose() -> dict[str, Any]:
    """Give the whole document, its anchors merged. Nobody changes it."""
    document: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
    return document


def blocks() -> dict[str, dict[str, Any]]:
    """Give the block of every container, by its name."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def environment(name: str) -> dict[str, str]:
    """Give what a container is told."""
    told: dict[str, str] = blocks()[name].get("environment", {})
    return told
