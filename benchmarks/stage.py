"""Where a measurement takes place: topics and databases of its own on one stack, and processes.

What is measured runs in a process of its own, so that whoever measures does not disturb it.
"""

import json
import logging
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import structlog
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks.facts import Record
from shared.local.kafka import admin_client
from shared.local.sql import ask
from shared.local.stack import LocalStack
from shared.runtime.broadcast import topic_scan
from shared.runtime.kafka.producer import SETTINGS
from shared.runtime.kafka.topics import PARTITIONS

ROLE = "attendance"
PATIENCE = 600.0
ROOT = str(Path(__file__).parents[1])

Answer = dict[str, Any]


class Process:
    """A module of this package that runs with settings and answers in lines of JSON."""

    def __init__(self, module: str, settings: Mapping[str, Any]) -> None:
        self._log = Path(settings["folder"]) / f"{module}-{secrets.token_hex(3)}.log"
        self._process = subprocess.Popen(  # noqa: S603  (our own module)
            [sys.executable, "-P", "-m", f"benchmarks.{module}", json.dumps(dict(settings))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log.open("wb"),
            env={**os.environ, "PYTHONPATH": ROOT},
            text=True,
        )

    def answer(self) -> Answer:
        """Wait for the next answer. Errors: RuntimeError with the end of its log if it ended."""
        assert self._process.stdout is not None  # noqa: S101  (a pipe was asked for)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"it ended: {self._log.read_text()[-2000:]}")
        answer: Answer = json.loads(line)
        return answer

    def tell(self, command: str, **arguments: Any) -> None:
        """Give it a command."""
        assert self._process.stdin is not None  # noqa: S101  (a pipe was asked for)
        self._process.stdin.write(json.dumps({"do": command, **arguments}) + "\n")
        self._process.stdin.flush()

    def ask(self, command: str, **arguments: Any) -> Answer:
        """Give it a command, and wait for the answer."""
        self.tell(command, **arguments)
        return self.answer()

    def end(self) -> None:
        """End it, and wait until it is gone."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def megabytes(self) -> float:
        """Say how much memory it holds now."""
        size: int = psutil.Process(self._process.pid).memory_info().rss
        return size / 2**20


def quiet() -> None:
    """Leave stdout to answers: warnings alone are logged, and on stderr."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def send(producer: Producer, topic: str, record: Record) -> int:
    """Hand a record over, a broadcast for every partition; give how many records that makes."""
    key, value, headers = record
    places = range(PARTITIONS) if key is None else (-1,)
    for partition in places:
        producer.produce(
            topic, value, None if key is None else key.encode(), partition, headers=headers
        )
    return len(places)


@dataclass
class Log:
    """What was written to a topic: records in all, of which check-ins; and where it ends."""

    topic: str
    records: int = 0
    check_ins: int = 0
    ends: dict[int, int] = field(default_factory=dict)
    produced: float = 0.0  # Records a second.


class Stage:
    """Topics, databases and processes on one running stack."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.bootstrap = stack.kafka_bootstrap
        self.folder = stack.home / "benchmarks"
        self.folder.mkdir(exist_ok=True)
        self._admin: AdminClient = admin_client(self.bootstrap)

    def topic(self, name: str = "") -> Log:
        """Create a topic as the catalogue would."""
        name = name or f"bench-{secrets.token_hex(4)}"
        config = {"compression.type": "zstd", "retention.ms": "-1"}
        new = NewTopic(name, PARTITIONS, 1, config=config)
        self._admin.create_topics([new])[name].result(timeout=60)
        return Log(name, ends=dict.fromkeys(range(PARTITIONS), 0))

    def drop_topic(self, log: Log) -> None:
        """Delete a topic: the next measurement shall not find a full disk."""
        self._admin.delete_topics([log.topic])[log.topic].result(timeout=60)

    def database(self) -> str:
        """Create a database, and give its address."""
        name = f"bench_{secrets.token_hex(4)}"
        ask(self.stack.postgres.admin_url, f"CREATE DATABASE {name} OWNER {ROLE}")
        return self.stack.postgres.url(name, ROLE)

    def drop_database(self, url: str) -> None:
        """Drop a database."""
        name = url.rpartition("/")[2]
        ask(self.stack.postgres.admin_url, f"DROP DATABASE {name} WITH (FORCE)")

    def write(self, log: Log, records: Iterable[Record]) -> Log:
        """Write records behind those that are there, broadcasts to every partition, and wait."""
        producer = self.producer()
        began, before = time.monotonic(), log.records
        for record in records:
            log.records += send(producer, log.topic, record)
            log.check_ins += b".CheckInRecorded." in record.headers[0][1]
            if log.records % 5_000 < PARTITIONS:
                producer.poll(0)
        if producer.flush(PATIENCE):
            raise RuntimeError("the broker does not answer")
        log.produced = (log.records - before) / (time.monotonic() - began)
        log.ends = topic_scan.ends_of(self.bootstrap, log.topic)
        return log

    def producer(self) -> Producer:
        """Give a producer with the services' settings, which waits a moment for more."""
        return Producer({**SETTINGS, "bootstrap.servers": self.bootstrap, "linger.ms": 20})

    def run(self, module: str, log: Log, **settings: Any) -> Answer:
        """Run a module to its one answer."""
        process = self.start(module, log, **settings)
        try:
            return process.answer()
        finally:
            process.end()

    def start(self, module: str, log: Log, **settings: Any) -> Process:
        """Start a module on a log."""
        given = {
            "bootstrap": self.bootstrap,
            "folder": str(self.folder),
            "topic": log.topic,
            "ends": log.ends,
            **settings,
        }
        return Process(module, given)

    def disk(self, log: Log, url: str = "") -> tuple[float, float]:
        """Give the megabytes of a topic and of a database.

        Of the topic its segments alone: the indexes of 24 partitions are preallocated.
        """
        segments = self.stack.home.glob(f"kafka/*/data/{log.topic}-*/*.log")
        size = sum(segment.stat().st_size for segment in segments)
        (rows,) = ask(url, "SELECT pg_database_size(current_database())") if url else [(0,)]
        return size / 2**20, rows[0] / 2**20
