"""What several files of these tests are given."""

import io
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from shared.runtime.observability import log
from tests.kit.answering import PARTITIONS
from tests.kit.logs import restored


@pytest.fixture
def topic(bootstrap: str, topic_prefix: str) -> str:
    name = f"{topic_prefix}facts.v1"
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.create_topics([NewTopic(name, PARTITIONS, 1)]).values():
        future.result(timeout=30)
    return name


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Log into memory, and put everything back after."""
    out = io.StringIO()
    with restored():
        log.configure("json", out)
        yield out
