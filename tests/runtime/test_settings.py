"""What the environment says, and what is made of what it does not say."""

from pathlib import Path

import pytest

from shared.local.stack import LocalStack
from shared.runtime import settings
from shared.runtime.settings import SettingsError

SERVERS = {
    "TERTIB_KAFKA_BOOTSTRAP": "one:9092,two:9092",
    "TERTIB_ATTENDANCE_DATABASE_URL": "postgresql+asyncpg://attendance@db/attendance",
}


def test_servers_are_taken_from_the_environment() -> None:
    """Design 8.3: the driver that SQLAlchemy names is not part of the address."""
    told = settings.load(SERVERS)

    assert told.bootstrap == "one:9092,two:9092"
    assert told.database_url("attendance") == "postgresql://attendance@db/attendance"


def test_a_missing_database_is_named_by_its_variable() -> None:
    told = settings.load(SERVERS)

    with pytest.raises(SettingsError, match="TERTIB_DISCIPLINE_DATABASE_URL is not set"):
        told.database_url("discipline")


def test_databases_without_a_broker_are_not_mixed_with_the_local_stack() -> None:
    """A cursor of one log on the records of another would be worse than not to start."""
    only_database = {"TERTIB_ATTENDANCE_DATABASE_URL": "postgresql://db/attendance"}

    with pytest.raises(SettingsError, match="TERTIB_KAFKA_BOOTSTRAP"):
        settings.load(only_database)


def test_without_servers_and_without_a_stack_one_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="tertib up"):
        settings.load({"TERTIB_HOME": str(tmp_path / "nothing")})


def test_without_servers_those_of_the_local_stack_are_used(stack: LocalStack) -> None:
    told = settings.load({"TERTIB_HOME": str(stack.home)})

    assert told.bootstrap == stack.kafka_bootstrap
    assert told.database_url("discipline") == stack.database_url("discipline")
    assert told.keyring_url() == stack.database_url("keyring")
    assert told.replication == len(stack.kafka.nodes)


def test_a_secret_may_come_as_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("whsec_MDEyMw==\n")
    told = settings.load({**SERVERS, "TERTIB_WEBHOOK_SECRET_FILE": str(secret)})

    assert told.webhook_secret == "whsec_MDEyMw=="  # noqa: S105  (made up)


def test_no_address_shows_when_settings_are_printed() -> None:
    """They carry passwords."""
    assert "attendance@db" not in repr(settings.load(SERVERS))


def test_a_port_is_a_number() -> None:
    with pytest.raises(SettingsError, match="TERTIB_HEALTH_PORT"):
        settings.load({**SERVERS, "TERTIB_HEALTH_PORT": "eighty"})
