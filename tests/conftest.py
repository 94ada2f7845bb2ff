"""The real servers of the tests: one Apache Kafka and one PostgreSQL for the whole session.

They start before the first test if any selected test asks for them, and never otherwise. If they
cannot be had, the session ends as failed: no test runs on a substitute.
"""

import os
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from shared.local.errors import StackError
from shared.local.stack import LocalStack
from tests.kit.servers import Servers, external, local

NEEDS_SERVERS = {"servers", "stack", "bootstrap", "database", "topic_prefix"}
CANNOT_RUN = 2

running = pytest.StashKey[Servers]()
cleanup = pytest.StashKey[ExitStack]()


def started(config: pytest.Config) -> Servers:
    """Give the servers of the session, started at the first call; end the session without."""
    if running not in config.stash:
        config.stash[cleanup] = ExitStack()
        try:
            given = external(os.environ)
            config.stash[running] = given or local(config.stash[cleanup])
        except StackError as failure:
            pytest.exit(f"no Kafka and PostgreSQL to test on: {failure}", returncode=CANNOT_RUN)
    return config.stash[running]


def pytest_report_header() -> str:
    """Say on what the tests that need servers would run."""
    if os.environ.get("TERTIB_KAFKA_BOOTSTRAP"):
        return "servers: those of TERTIB_KAFKA_BOOTSTRAP and TERTIB_TEST_DATABASE_URL"
    return "servers: a local stack of Apache Kafka and PostgreSQL, started if a test needs it"


def pytest_report_collectionfinish(
    config: pytest.Config, start_path: Path, items: Sequence[pytest.Item]
) -> str:
    """Start the servers if a selected test needs them, and print what they say they are."""
    del start_path
    needed = any(NEEDS_SERVERS & set(getattr(item, "fixturenames", ())) for item in items)
    if config.option.collectonly or not needed:
        return "servers: not started, no selected test needs them"
    return f"servers: {started(config).description}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once more what was tested on, and how many tests were skipped, and why."""
    servers = terminalreporter.config.stash.get(running, None)
    terminalreporter.section("servers and skips")
    terminalreporter.write_line(f"servers: {servers.description if servers else 'not started'}")
    reasons = Counter(
        str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        for report in terminalreporter.stats.get("skipped", [])
    )
    terminalreporter.write_line(f"skipped: {reasons.total()}")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"  {count} x {reason.removeprefix('Skipped: ')}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers."""
    if cleanup in config.stash:
        config.stash[cleanup].close()


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Servers:
    """Say where the brokers and the database server of this session are."""
    return started(request.config)


@pytest.fixture(scope="session")
def stack(servers: Servers) -> LocalStack:
    """Give the local stack of this session; skip if the session was given other servers."""
    if servers.stack is None:
        pytest.skip("the session was given servers by TERTIB_KAFKA_BOOTSTRAP: no local stack")
    return servers.stack


@pytest.fixture(scope="session")
def bootstrap(servers: Servers) -> str:
    """Give the brokers' addresses, comma-separated."""
    return servers.bootstrap


@pytest.fixture
def database(servers: Servers) -> Iterator[str]:
    """Make an empty database of an ordinary role, give its `postgresql://…`, drop it after."""
    name = f"test_{secrets.token_hex(6)}"
    yield servers.create_database(name)
    servers.drop_database(name)


@pytest.fixture
def topic_prefix(servers: Servers) -> Iterator[str]:
    """Give what the names of a test's topics begin with; delete the topics afterwards."""
    prefix = f"t{secrets.token_hex(4)}."
    yield prefix
    servers.delete_topics(prefix)
