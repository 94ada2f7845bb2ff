"""Makes librdkafka's clients: without log output, and with the settings that all share."""

from typing import Any

from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient

from shared.quiet import quiet_logger

QUIET = quiet_logger("tertib.librdkafka")  # What goes wrong is raised.


def client_config(bootstrap: str) -> dict[str, Any]:
    """Give the settings of every client."""
    return {"bootstrap.servers": bootstrap, "log_level": 0}


def admin_client(bootstrap: str) -> AdminClient:
    """Make a client that asks the brokers and reads no record."""
    return AdminClient(client_config(bootstrap), logger=QUIET)


def reader(bootstrap: str, settings: dict[str, Any] | None = None) -> Consumer:
    """Make a consumer without a group, for partitions that it is given; it stores no offsets.

    `settings` are librdkafka's own and go before ours.
    """
    config = {
        **client_config(bootstrap),
        "group.id": "tertib.reading",  # Never joined: the library wants a name.
        "enable.auto.commit": False,
        "auto.offset.reset": "error",  # An offset that is not there is no reason to guess.
        **(settings or {}),
    }
    return Consumer(config, logger=QUIET)
