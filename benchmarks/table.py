"""The table: conditions, then a row a figure, with its ratio to what it is held against."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version

from benchmarks.stage import Stage
from shared.local.sql import ask

SHOWN = ("aiokafka", "confluent-kafka", "faststream", "quixstreams", "asyncpg", "msgspec")


@dataclass
class Table:
    """Rows of what, figure, ratio, wanted; and lines that say on what it was measured."""

    conditions: list[str] = field(default_factory=list)
    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, what: str, figure: str, ratio: str = "", wanted: str = "") -> None:
        """Add a row, and show it at once: the whole takes minutes."""
        self.rows.append((what, figure, ratio, wanted))
        print(f"  {what}: {figure}" + (f", {ratio}" if ratio else ""), flush=True)  # noqa: T201

    def markdown(self) -> str:
        """Give the page."""
        head = [("what", "measured", "of bare `getmany`, or as said", "wanted")]
        lines = [f"| {' | '.join(row)} |" for row in (*head, *self.rows)]
        lines.insert(1, "|---|---|---|---|")
        return "\n".join([*(f"- {line}" for line in self.conditions), "", *lines, ""])


def conditions(stage: Stage, sizes: Sequence[str]) -> list[str]:
    """Say on what is measured."""
    database = ask(stage.stack.postgres.admin_url, "SHOW server_version")[0][0]
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    libraries = ", ".join(f"{name} {version(name)}" for name in SHOWN)
    machine = (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}) for broker,"
        f" database and workers together; load average at the start: {load}"
    )
    servers = (
        f"Apache Kafka {stage.stack.kafka.version()} (one node, 24 partitions, zstd), PostgreSQL"
        f" {database} (fsync on), Python {platform.python_version()}"
    )
    return [machine, servers, libraries, *sizes]


def thousands(number: float) -> str:
    """Write a rate."""
    return f"{number:,.0f}"
