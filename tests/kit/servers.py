"""The servers that a test session runs on, its own or given ones."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from confluent_kafka.admin import AdminClient

from shared.local.errors import StackError
from shared.local.kafka import admin_client, broker_count
from shared.local.sql import ask
from shared.local.stack import LocalStack

TESTER = "tester"


@dataclass
class Servers:
    """Brokers, and a database server on which `admin_url` may create databases.

    Databases belong to the role `owner`, which on a local stack is no superuser.
    """

    bootstrap: str
    admin_url: str
    owner: str
    stack: LocalStack | None

    @cached_property
    def description(self) -> str:
        """Say what the servers themselves say they are."""
        version = ask(self.admin_url, "SHOW server_version")[0][0]
        return f"{self._brokers()}; PostgreSQL {version}"

    @cached_property
    def kafka_admin(self) -> AdminClient:
        """One admin client for the whole session."""
        return admin_client(self.bootstrap)

    def _brokers(self) -> str:
        """Ask the brokers. Kafka's protocol tells no version: the log of our own node does."""
        known = self.kafka_admin.list_topics(timeout=30)
        which = f"cluster {known.cluster_id}, {len(known.brokers)} node(s)"
        if self.stack is None:
            return f"Kafka of TERTIB_KAFKA_BOOTSTRAP, {which}"
        return f"Apache Kafka {self.stack.kafka.version()}, {which}"

    def create_database(self, name: str) -> str:
        """Create a database and give its address."""
        ask(self.admin_url, f'CREATE DATABASE {name} OWNER "{self.owner}"')
        address = urlsplit(self.admin_url)
        if self.stack is not None:
            return self.stack.postgres.url(name, self.owner)
        return address._replace(path=f"/{name}").geturl()

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        ask(self.admin_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def delete_topics(self, prefix: str) -> None:
        """Delete every topic whose name begins with this."""
        topics = self.kafka_admin.list_topics(timeout=30).topics
        if doomed := [topic for topic in topics if topic.startswith(prefix)]:
            for deletion in self.kafka_admin.delete_topics(doomed).values():
                deletion.result(timeout=30)


def external(environment: Mapping[str, str]) -> Servers | None:
    """Use the servers that the environment names; None if it names none.

    Errors: StackError if only one of the two is named, or one does not answer.
    """
    bootstrap = environment.get("TERTIB_KAFKA_BOOTSTRAP")
    database = environment.get("TERTIB_TEST_DATABASE_URL")
    if not bootstrap and not database:
        return None
    if not bootstrap or not database:
        message = "set both TERTIB_KAFKA_BOOTSTRAP and TERTIB_TEST_DATABASE_URL, or neither"
        raise StackError(message)
    if not broker_count(bootstrap):
        message = f"no Kafka answers at {bootstrap}"
        raise StackError(message)
    owner = str(ask(database, "SELECT current_user")[0][0])
    return Servers(bootstrap, database, owner, None)


def local(cleanup: ExitStack) -> Servers:
    """Start a stack of our own in a folder that goes with the session."""
    stack = cleanup.enter_context(LocalStack.scoped())
    password = stack.postgres.password
    ask(stack.postgres.admin_url, f"CREATE ROLE {TESTER} LOGIN PASSWORD '{password}'")
    return Servers(stack.kafka_bootstrap, stack.postgres.admin_url, TESTER, stack)
