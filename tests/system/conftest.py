"""One stack for all of these tests, started and stopped by the commands themselves."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.system import letters
from tests.system.whole import Whole


@dataclass(frozen=True)
class Mailbox:
    """A mail server, and the file in which it keeps what it took."""

    file: Path
    url: str

    def mails(self) -> list[dict[str, Any]]:
        """Give the mails so far, in the order of their arrival."""
        return [json.loads(line) for line in self.file.read_text().splitlines()]


@pytest.fixture(scope="package")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mailbox]:
    file = tmp_path_factory.mktemp("mail") / "mails"
    file.touch()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.notifications.smtp_server", str(file)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        yield Mailbox(file, f"smtp://127.0.0.1:{port}?from=tertib@example.org&starttls=no")
        server.communicate()  # Its standard input ends, and so does it.


@pytest.fixture(scope="package")
def whole(tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox) -> Iterator[Whole]:
    stack = Whole(tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("else"), mailbox.url)
    try:
        stack.tertib("up")
        yield stack
    finally:
        stack.tertib("down")


@pytest.fixture(scope="package")
def office(whole: Whole, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a small office that was backfilled; see `letters` for who works there."""
    folder = tmp_path_factory.mktemp("office")
    letters.write(folder)
    whole.backfill(folder)
    return folder
