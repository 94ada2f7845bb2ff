"""A stack of its own, used as people use it: by the word `tertib`, from another folder."""

import csv
import io
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

TERTIB = Path(sys.executable).parent / "tertib"
SERVICES = ("attendance", "discipline", "notifications")
Row = dict[str, str]
Place = tuple[str, int]


@dataclass(frozen=True)
class Whole:
    """A running stack in `home`; `elsewhere` is where its user stands."""

    home: Path
    elsewhere: Path
    smtp_url: str

    def tertib(
        self, *words: str | Path, code: int | None = 0, columns: int = 200
    ) -> subprocess.CompletedProcess[str]:
        """Run a command; `code`: the exit code it must have, None for any."""
        plain = {k: v for k, v in os.environ.items() if not k.startswith("TERTIB_")}
        told = {"TERTIB_HOME": str(self.home), "TERTIB_SMTP_URL": self.smtp_url}
        done = subprocess.run(
            [TERTIB, *words],
            env={**plain, **told, "COLUMNS": str(columns)},
            cwd=self.elsewhere,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert "this should not happen" not in done.stderr, done.stderr
        if code is not None:
            assert done.returncode == code, f"{words}: {done.returncode}\n{done.stderr}"
        return done

    def backfill(self, dataset: Path, *words: str, code: int | None = 0) -> dict[str, Any]:
        """Backfill a dataset and give what is said for machines."""
        done = self.tertib("backfill", dataset, "--json", *words, code=code)
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def export(self, name: str, *words: str) -> list[Row]:
        """Give a table as rows."""
        return [*csv.DictReader(io.StringIO(self.tertib("export", name, *words).stdout))]

    def status(self) -> dict[str, Any]:
        """Give what `tertib status` says for machines."""
        told: dict[str, Any] = json.loads(self.tertib("status", "--json", code=None).stdout)
        return told

    def environment(self) -> dict[str, str]:
        """Give the addresses by which the stack's own services find one another."""
        from shared.local.stack import LocalStack  # noqa: PLC0415  (read anew: ports may change)

        return LocalStack(self.home).environment()

    def ends(self) -> dict[Place, int]:
        """Give where every partition of every topic ends."""
        consumer = self.consumer()
        try:
            topics = consumer.list_topics(timeout=30).topics
            return {
                (topic, number): consumer.get_watermark_offsets(TopicPartition(topic, number))[1]
                for topic, about in topics.items()
                if not topic.startswith("__")
                for number in about.partitions
            }
        finally:
            consumer.close()

    def consumer(self) -> Consumer:
        """Give a consumer that belongs to nobody and commits nothing."""
        return Consumer(
            {
                "bootstrap.servers": self.environment()["TERTIB_KAFKA_BOOTSTRAP"],
                "group.id": "tests",
                "enable.auto.commit": False,
            }
        )

    def health_port(self, service: str) -> int:
        """Say where a service answers."""
        ports = {one["name"]: one["port"] for one in self.status()["services"]}
        return int(ports[service])


def ask(port: int, path: str) -> tuple[int, str]:
    """Ask a service over HTTP; give the status and the text of its answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def until(happened: Callable[[], bool], otherwise: str, seconds: float = 60.0) -> float:
    """Wait for a condition; give the seconds it took. Errors: AssertionError."""
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < seconds, otherwise
        time.sleep(0.1)
    return time.monotonic() - began
