"""What these tests are given."""

import pytest

from shared.runtime.kafka import admin
from tests.kit.broadcasting import FactTopic


@pytest.fixture
async def place(bootstrap: str, database: str, topic_prefix: str) -> FactTopic:
    topic = f"{topic_prefix}facts.v1"
    await admin.ensure(bootstrap, [topic])
    return FactTopic(bootstrap, database, topic)
