"""The state of a relay, for its process and as metrics (`docs/observing.md`)."""

from dataclasses import dataclass

from prometheus_client import Counter, Gauge

WHOSE = ["service", "outbox"]
PUBLISHED = Counter("tertib_relay_published", "Rows acknowledged by the brokers", WHOSE)
FAILURES = Counter("tertib_relay_failures", "Producers thrown away after a refusal", WHOSE)
ACTIVE = Gauge("tertib_relay_active", "Whether this process's relay holds the lock", WHOSE)


@dataclass
class RelayStatus:
    """The state of a relay. `active`: it holds the lock; `unsent`: it knows of rows to publish.

    Since its start: `published` counts acknowledged rows, `looks` how often it asked for rows,
    `failures` the producers thrown away.
    """

    published: int = 0
    looks: int = 0
    failures: int = 0
    active: bool = False
    unsent: bool = False
