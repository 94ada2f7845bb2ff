"""Telling what became of a notice: a command on the stream of the person concerned."""

import asyncio
from collections.abc import Sequence
from weakref import WeakValueDictionary

from services.notifications import domain
from services.notifications.clock import Clock
from services.notifications.domain import Command
from services.notifications.jobs import LEASE, Job
from services.notifications.projections import Planned, apply
from shared.events.base import Told
from shared.events.structs import as_struct
from shared.runtime.handling import SubjectParked, handle
from shared.runtime.store import UNAVAILABLE
from shared.runtime.worker import Fenced, Store
from shared.runtime.writes import Times

# What passes: others write the same person, the database comes back, a queue is drained.
PASSING = (Fenced, SubjectParked, *UNAVAILABLE)
PAUSE = 0.25


class Settling:
    """Writes outcomes through the same domain and the same row as the planner.

    One at a time for each person: the channels of one notice end together, and would only make
    one another read again.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, job: Job, command: Command) -> None:
        """Tell the outcome of a job; told before, nothing.

        It is tried for as long as the notice is ours: an outcome lost is a message repeated.
        Errors: those of `handle`, when that time is over.
        """
        turn = self._turns.setdefault(job.employee_id, asyncio.Lock())
        loop = asyncio.get_running_loop()
        last = loop.time() + LEASE.total_seconds() / 2
        async with turn:
            while True:
                try:
                    return await self._tell(job, command)
                except PASSING:
                    if loop.time() > last:
                        raise
                await asyncio.sleep(PAUSE)

    async def _tell(self, job: Job, command: Command) -> None:
        def act(state: Planned, _last_seq: int) -> Sequence[Told]:
            told = domain.decide(command, state.notices)
            for event in told:
                apply(state, event, job.regency)
            return [Told(type(event), as_struct(event), job.regency) for event in told]

        now = self._clock().isoformat(timespec="seconds")
        times = Times(now, now, job.about_event_id, job.about_event_id)
        # Asked each time: the tables that a rebuild replaced are gone, not merely stale.
        await handle(await self._store.live(), job.employee_id, act, times)
