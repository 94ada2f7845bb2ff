"""`deploy/pin-images`, with a client in place of the engine's that says what a registry would.

`tests/containers` runs the script on a real engine.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.compose import PROJECT

FILES = ("docker-compose.yml", "deploy/Dockerfile")
# What the script asks: `docker pull --quiet IMAGE`, then `docker image inspect --format … IMAGE`.
CLIENT = """#!/bin/sh
for image; do :; done
case $1 in
pull) ! grep -qxF "$image" "$ABSENT" ;;
image) printf 'of/it@sha256:%s\\n' "$(printf '%s %s' "$image" "$DAY" | sha256sum | cut -c1-64)" ;;
esac
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a copy of the files that are written, and of the script."""
    for name in (*FILES, "deploy/pin-images"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    (tmp_path / "docker").write_text(CLIENT)
    (tmp_path / "docker").chmod(0o755)
    (tmp_path / "absent").touch()
    return tmp_path


def pin(folder: Path, day: str) -> "subprocess.CompletedProcess[str]":
    told = {"DAY": day, "ABSENT": str(folder / "absent")}
    return subprocess.run(
        [folder / "deploy/pin-images"],
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", **told},
        capture_output=True,
        text=True,
        check=False,
    )


def texts(folder: Path) -> list[str]:
    return [(folder / name).read_text() for name in FILES]


def test_every_image_of_others_is_written_with_its_digest(folder: Path) -> None:
    """The version stays, for people; ours are built here and have none."""
    before = texts(folder)
    done = pin(folder, "today")
    images = re.findall(r"(?:image: |ARG PYTHON=)(\S+)", "\n".join(texts(folder)))

    assert done.returncode == 0
    assert len(images) > 4
    for image in images:
        pinned = re.fullmatch(r"[a-z/]+:[a-z0-9.-]+@sha256:[0-9a-f]{64}", image)
        assert bool(pinned) is not image.startswith("tertib/")
    assert [re.sub("@sha256:[0-9a-f]{64}", "", text) for text in texts(folder)] == before


def test_pinned_again_they_are_those_of_today(folder: Path) -> None:
    """One digest is replaced by the other; nothing is appended."""
    pin(folder, "yesterday")
    pin(folder, "today")
    twice = texts(folder)
    for name in FILES:
        shutil.copy(PROJECT / name, folder / name)
    pin(folder, "today")

    assert texts(folder) == twice


def test_where_one_is_not_reached_nothing_is_written(folder: Path) -> None:
    before = texts(folder)
    (folder / "absent").write_text("postgres:18.6\n")
    done = pin(folder, "today")

    assert done.returncode == 2
    assert "postgres:18.6: its registry is not reached" in done.stderr
    assert texts(folder) == before
