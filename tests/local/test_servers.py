"""The fixtures that every other test stands on."""

import asyncpg
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import NewTopic

from tests.servers import Servers


def test_a_record_goes_through_the_broker(servers: Servers, topic_prefix: str) -> None:
    """Produced with acks=all, it is consumed as it was."""
    topic = f"{topic_prefix}records"
    servers.kafka_admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(timeout=30)
    producer = Producer({"bootstrap.servers": servers.bootstrap, "acks": "all"})
    producer.produce(topic, key=b"a", value=b"one")
    assert producer.flush(30) == 0

    reader = Consumer(
        {
            "bootstrap.servers": servers.bootstrap,
            "group.id": f"{topic_prefix}readers",
            "auto.offset.reset": "earliest",
        }
    )
    reader.subscribe([topic])
    (record,) = reader.consume(1, timeout=30)
    reader.close()

    assert (record.key(), record.value()) == (b"a", b"one")


async def test_a_table_is_made_by_an_ordinary_role(database: str) -> None:
    """A test's database belongs to a role that is no superuser, as a service's does."""
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE TABLE days (on_date date PRIMARY KEY)")
    superuser = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = user")
    await connection.close()

    assert superuser is False


async def test_each_test_has_a_database_of_its_own(database: str) -> None:
    """Nothing of the test before is left in it."""
    connection = await asyncpg.connect(database)
    tables = await connection.fetch("SELECT 1 FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()

    assert tables == []
