"""A sender that is killed between sending and writing down.

`python -m tests.notifications.dying_sender DATABASE SMTP_URL`: it works on what stands in the
database, with keys that it makes itself, and dies by SIGKILL at the first outcome.
"""

import asyncio
import os
import signal
import sys

import asyncpg

from services.notifications.channels.inbox import Inbox
from services.notifications.channels.smtp import Smtp, SmtpSettings
from services.notifications.clock import wall_clock
from services.notifications.domain import Command
from services.notifications.jobs import Bucket, Job
from services.notifications.resolving import Opener
from services.notifications.sender import Outlet, Sender
from services.notifications.store import SenderStore
from shared.events.base import Sealed


class Plain:
    """Opens nothing: what stands there is the text."""

    async def open(self, sealed: Sealed, _employee_id: str, /) -> str | None:
        return sealed.ct


async def die(_job: Job, _command: Command) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def main(database: str, smtp_url: str) -> None:
    opener: Opener = Plain()
    async with asyncpg.create_pool(database, min_size=1, max_size=2) as pool:
        outlets = {
            "inbox": Outlet(Inbox(pool), Bucket(1000, 1000), is_quiet=True),
            # Quiet hours are another test's: this one runs at any hour.
            "mail": Outlet(
                Smtp(SmtpSettings.of(smtp_url), wall_clock), Bucket(1000, 1000), is_quiet=True
            ),
        }
        await Sender(SenderStore(pool), opener, outlets, die).run()  # type: ignore[arg-type]  # names of channels


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
