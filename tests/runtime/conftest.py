"""What several files of these tests are given."""

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from tests.runtime.answering import PARTITIONS


@pytest.fixture
def topic(bootstrap: str, topic_prefix: str) -> str:
    name = f"{topic_prefix}facts.v1"
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.create_topics([NewTopic(name, PARTITIONS, 1)]).values():
        future.result(timeout=30)
    return name
