"""Publishes the outcomes of notices: commands on the streams of the people concerned."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.notifications.clock import Clock
from services.notifications.domain import Command
from services.notifications.jobs import LEASE, Job
from services.notifications.projections import Planned, tell
from shared.events.base import NewEvent
from shared.runtime.processing import command_handler
from shared.runtime.processing.command_handler import SubjectParkedError
from shared.runtime.processing.stamping import Times
from shared.runtime.processing.store_port import Store, WriteConflictError
from shared.runtime.storage.failures import REFUSED, UNAVAILABLE

# Temporary: others write the same person, the database is away, the person is parked. What the
# database refuses is tried again as well: an outcome that is given up is a message sent again.
PASSING = (WriteConflictError, SubjectParkedError, *UNAVAILABLE, REFUSED)
PAUSE = 0.25
TOGETHER = 100  # Outcomes in one transaction: a few milliseconds of locks.


@dataclass(frozen=True)
class Outcome:
    """The outcome of a job. `told`: done when it is stored; `last`: tried until then."""

    job: Job
    command: Command
    told: "asyncio.Future[None]"
    last: float


class OutcomeWriter:
    """Writes outcomes through the same domain and the same row as the planner.

    Outcomes that come while a transaction is under way are written together in the next: one each
    would cost twenty round trips, and the channels of one notice, which end at the same time,
    would conflict with each other.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: list[Outcome] = []
        self._writing: asyncio.Task[None] | None = None

    async def __call__(self, job: Job, command: Command) -> None:
        """Store the outcome of a job, and publish it; one that is stored already changes nothing.

        It is tried for half the lease of the notice: if it is lost, the message is sent again.
        Errors: those of `handle`, when that time is over.
        """
        loop = asyncio.get_running_loop()
        last = loop.time() + LEASE.total_seconds() / 2
        outcome = Outcome(job, command, loop.create_future(), last)
        self._put(outcome)
        await outcome.told

    def _put(self, outcome: Outcome) -> None:
        self._waiting.append(outcome)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())

    async def _write_all(self) -> None:
        """Write what waits, one transaction after the other. Errors go to those who wait."""
        while self._waiting:
            some, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
            ended: Sequence[command_handler.Outcome | Exception]
            try:
                # Asked each time: a rebuild drops the tables that it replaced.
                live = await self._store.live()
                ended = await command_handler.handle_together(
                    live, [self._act(each) for each in some]
                )
            except Exception as error:  # noqa: BLE001  (it is for those who wait)
                ended = [error] * len(some)
            for outcome, end in zip(some, ended, strict=True):
                self._end(outcome, end)

    def _end(self, outcome: Outcome, end: command_handler.Outcome | Exception) -> None:
        loop = asyncio.get_running_loop()
        if outcome.told.done():
            return  # The caller was cancelled.
        if not isinstance(end, Exception):
            outcome.told.set_result(None)
        elif isinstance(end, PASSING) and loop.time() <= outcome.last:
            loop.call_later(PAUSE, self._put, outcome)
        else:
            outcome.told.set_exception(end)

    def _act(self, outcome: Outcome) -> command_handler.Command:
        job = outcome.job

        def act(state: Planned, _last_seq: int) -> Sequence[NewEvent]:
            return tell(state, outcome.command, job.regency)

        now = self._clock().isoformat(timespec="seconds")
        times = Times(now, now, job.about_event_id, job.about_event_id)
        return command_handler.Command(job.employee_id, act, times)
