"""Telling what became of a notice: a command on the stream of the person concerned."""

from collections.abc import Sequence

from services.notifications import domain
from services.notifications.clock import Clock
from services.notifications.domain import Command
from services.notifications.jobs import Job
from services.notifications.projections import Planned, apply
from shared.events.base import Told
from shared.events.structs import as_struct
from shared.runtime.handling import Cause, handle
from shared.runtime.store import Store


class Settling:
    """Writes outcomes through the same domain and the same row as the planner."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def __call__(self, job: Job, command: Command) -> None:
        """Tell the outcome of a job; told before, nothing. Errors: those of `handle`."""

        def act(state: Planned, _last_seq: int) -> Sequence[Told]:
            told = domain.decide(command, state.notices)
            for event in told:
                apply(state, event, job.regency)
            return [Told(type(event), as_struct(event), job.regency) for event in told]

        now = self._clock().isoformat(timespec="seconds")
        cause = Cause(time=now, recordedtime=now, causationid=job.about_event_id)
        await handle(self._store, job.employee_id, act, cause)
