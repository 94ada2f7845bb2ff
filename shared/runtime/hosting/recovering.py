"""Before anything runs: tables that were lost, or are older than what was said, are recovered."""

import asyncio
import os
import time
from collections.abc import Iterable

import structlog

from shared.runtime.consumer.runner import Runner
from shared.runtime.rebuild.refolding import Done
from shared.runtime.recovery.recovery import recover

MOST_WORKERS = 4  # Each holds the digests of the partitions under way.
TOLD_SECONDS = 10.0

log = structlog.get_logger()


async def recovered(
    runners: Iterable[Runner],
    bootstrap: str,
    database_url: str,
    stopping: asyncio.Event,
) -> bool:
    """Recover what is behind its topics; False if told to stop meanwhile: nothing was changed.

    Errors: CannotRunError.
    """
    stop = asyncio.ensure_future(stopping.wait())
    try:
        for each in (runner.projection for runner in runners):
            workers = min(os.cpu_count() or 1, MOST_WORKERS)
            work = asyncio.create_task(
                recover(each, bootstrap, database_url, _Telling(each.name).hear, workers=workers)
            )
            await asyncio.wait([work, stop], return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
                await asyncio.wait([work])
                return False
            await work
    finally:
        stop.cancel()
    return True


class _Telling:
    """Says in the log how far a recovery is, now and then: nobody else can tell yet."""

    def __init__(self, projection: str) -> None:
        self._projection = projection
        self._told_at = time.monotonic()

    def hear(self, done: Done) -> None:
        """Hear how far it is."""
        if time.monotonic() - self._told_at > TOLD_SECONDS:
            self._told_at = time.monotonic()
            left = round(done.seconds_left)
            log.info("recovery_goes_on", projection=self._projection, folded=done.folded,
                     total=done.total, seconds_left=left)  # fmt: skip
