"""What a process is told by its environment: each variable once, with its reason.

TERTIB_KAFKA_BOOTSTRAP           the brokers, `host:port`, comma-separated.
TERTIB_<SERVICE>_DATABASE_URL    the database of one service; no process is told another's.
TERTIB_KEYRING_URL               the keyring, for what seals or opens personal values.
TERTIB_REPLICATION               copies of a topic that is made: 3 where there are three brokers.
TERTIB_STATUS_URLS               where `/status` answers, `attendance=http://host:port,…`.
TERTIB_HEALTH_HOST, _PORT        where a service answers; loopback, unless a container says else.
TERTIB_LOG                       `json` for machines, `pretty` for people at a terminal.
TERTIB_SMTP_URL                  the mail relay; unset: mail is switched off, and notices say so.
TERTIB_WEBHOOK_URL, _SECRET      the messaging gateway, and the key that requests are signed with.
TERTIB_WEBHOOK_HOSTS             hosts that may be posted to: a typing error must not leak notices.
TERTIB_LANGUAGE                  `id` or `en`: the language of notices.

A variable whose name ends in `_FILE` names a file that holds the value: secrets come as files.
If none of the servers (the first three) is told, they are those of the local stack in TERTIB_HOME.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from shared.errors import CannotRunError

BOOTSTRAP = "TERTIB_KAFKA_BOOTSTRAP"
KEYRING = "TERTIB_KEYRING_URL"
DATABASE_SUFFIX = "_DATABASE_URL"
FILE_SUFFIX = "_FILE"
PREFIX = "TERTIB_"


class SettingsError(CannotRunError):
    """The environment does not say what is needed; the message says what to do."""


@dataclass(frozen=True, repr=False)
class Settings:
    """What a process was told. Addresses name accounts and passwords: they are never shown."""

    bootstrap: str
    databases: Mapping[str, str]
    keyring: str | None = None
    replication: int = 1
    status_urls: Mapping[str, str] = field(default_factory=dict)
    health_host: str = "127.0.0.1"
    health_port: int = 0
    log: Literal["json", "pretty"] = "json"
    smtp_url: str | None = None
    webhook_url: str | None = None
    webhook_secret: str | None = None
    webhook_hosts: frozenset[str] = frozenset()
    language: Literal["id", "en"] = "id"

    def database_url(self, service: str) -> str:
        """Give a service's database, `postgresql://…`. Errors: SettingsError if not told."""
        if service not in self.databases:
            message = f"{PREFIX}{service.upper()}{DATABASE_SUFFIX} is not set"
            raise SettingsError(message)
        return self.databases[service]

    def keyring_url(self) -> str:
        """Give the keyring's database. Errors: SettingsError if not told."""
        if self.keyring is None:
            message = f"{KEYRING} is not set"
            raise SettingsError(message)
        return self.keyring


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment, with the local stack for servers that it does not tell.

    Errors: SettingsError for a value that cannot be, or if there is no stack that runs.
    """
    told = _with_files(os.environ if environ is None else environ)
    if not _tells_servers(told):
        told = {**_local_stack(told), **told}
    if BOOTSTRAP not in told:
        message = f"databases are set, but {BOOTSTRAP} is not: set both, or neither"
        raise SettingsError(message)
    return Settings(
        bootstrap=told[BOOTSTRAP],
        databases=_databases(told),
        keyring=_plain(told[KEYRING]) if KEYRING in told else None,
        replication=_number(told, "TERTIB_REPLICATION", 1),
        status_urls=_addresses(told.get("TERTIB_STATUS_URLS", "")),
        health_host=told.get("TERTIB_HEALTH_HOST", "127.0.0.1"),
        health_port=_number(told, "TERTIB_HEALTH_PORT", 0),
        log=log_form(told),
        smtp_url=told.get("TERTIB_SMTP_URL"),
        webhook_url=told.get("TERTIB_WEBHOOK_URL"),
        webhook_secret=told.get("TERTIB_WEBHOOK_SECRET"),
        webhook_hosts=frozenset(filter(None, told.get("TERTIB_WEBHOOK_HOSTS", "").split(","))),
        language="en" if _one_of(told, "TERTIB_LANGUAGE", ("id", "en")) == "en" else "id",
    )


def log_form(environ: Mapping[str, str]) -> Literal["json", "pretty"]:
    """Say how to log: as told, or as who reads it: a terminal or a file. Errors: SettingsError."""
    fallback = "pretty" if sys.stderr.isatty() else "json"
    form = _one_of(environ, "TERTIB_LOG", ("json", "pretty"), fallback)
    return "pretty" if form == "pretty" else "json"


def log_form_of_process() -> Literal["json", "pretty"]:
    """Say how a command logs before it reads anything else. Errors: SettingsError."""
    return log_form(_with_files(os.environ))


def _tells_servers(told: Mapping[str, str]) -> bool:
    return BOOTSTRAP in told or KEYRING in told or bool(_databases(told))


def _local_stack(told: Mapping[str, str]) -> dict[str, str]:
    try:
        from shared.local.stack import LocalStack  # noqa: PLC0415  (not installed in production)
    except ModuleNotFoundError as error:
        message = (
            f"no server is named: set {BOOTSTRAP} and {PREFIX}<SERVICE>{DATABASE_SUFFIX}, or each"
            f" with {FILE_SUFFIX} and the name of a file; there is no local stack to use instead"
            f" (the package {error.name} is not installed)"
        )
        raise SettingsError(message) from error

    home = told.get("TERTIB_HOME")
    stack = LocalStack(Path(home) if home else None)
    if not stack.running:
        message = f"no local stack runs in {stack.home}: run `tertib up`, or set {BOOTSTRAP}"
        raise SettingsError(message)
    ports = stack.services.health_ports().items()
    addresses = ",".join(f"{name}=http://127.0.0.1:{port}" for name, port in ports)
    nodes = str(len(stack.kafka.nodes))
    return {
        **stack.environment(),
        "TERTIB_REPLICATION": nodes,
        "TERTIB_STATUS_URLS": addresses,
    }


def _with_files(environ: Mapping[str, str]) -> dict[str, str]:
    """Give our variables, those from files read; an empty one counts as unset."""
    told: dict[str, str] = {}
    for name, value in environ.items():
        if not name.startswith(PREFIX) or not value:
            continue
        if not name.endswith(FILE_SUFFIX):
            told[name] = value
            continue
        try:
            told.setdefault(name.removesuffix(FILE_SUFFIX), Path(value).read_text().strip())
        except OSError as error:
            message = f"{name} names a file that cannot be read: {error.strerror}"
            raise SettingsError(message) from error
    return told


def _databases(told: Mapping[str, str]) -> dict[str, str]:
    found = {
        name.removeprefix(PREFIX).removesuffix(DATABASE_SUFFIX).lower(): _plain(url)
        for name, url in told.items()
        if name.endswith(DATABASE_SUFFIX)
    }
    found.pop("test", None)  # TERTIB_TEST_DATABASE_URL is of the tests, and no service's.
    return found


def _addresses(told: str) -> dict[str, str]:
    pairs = [each.partition("=") for each in told.split(",") if each.strip()]
    if any(not address.startswith(("http://", "https://")) for _, _, address in pairs):
        message = "TERTIB_STATUS_URLS is `service=http://host:port`, comma-separated"
        raise SettingsError(message)
    return {name.strip(): address.rstrip("/") for name, _, address in pairs}


def _plain(url: str) -> str:
    """Leave out the driver that SQLAlchemy's form of an address names."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


def _number(told: Mapping[str, str], name: str, otherwise: int) -> int:
    value = told.get(name, str(otherwise))
    if not value.isdecimal():
        message = f"{name} is a whole number, not {value!r}"
        raise SettingsError(message)
    return int(value)


def _one_of(
    told: Mapping[str, str], name: str, allowed: tuple[str, ...], otherwise: str | None = None
) -> str:
    value = told.get(name) or otherwise or allowed[0]
    if value not in allowed:
        message = f"{name} is one of {', '.join(allowed)}, not {value!r}"
        raise SettingsError(message)
    return value
