"""The sender: takes queued notices that are due, and gives them to their channel.

A try is counted before it is made, and its outcome is published afterwards. A crash between the
two repeats the try, once per crash, under the same id, so that every receiver can recognise it.
Nothing else is repeated.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from structlog.contextvars import bound_contextvars

from services.notifications import jobs, rendering
from services.notifications.channels.port import (
    Channel,
    Delivery,
    Message,
    Refused,
    Taken,
    Trouble,
)
from services.notifications.clock import Clock, wall_clock
from services.notifications.domain import Command, Delivered, Failed
from services.notifications.jobs import Bucket, Job
from services.notifications.quiet import send_after
from services.notifications.resolving import Impossible, Opener, Recipient, Unknown, resolve
from services.notifications.store import SenderStore
from shared.events import notifications as words
from shared.events.sealing import UnsealableError
from shared.runtime.processing.command_handler import SubjectParkedError
from shared.runtime.processing.store_port import WriteConflictError
from shared.runtime.storage.failures import REFUSED, UNAVAILABLE, refusal_of

log = structlog.get_logger()

Settle = Callable[[Job, Command], Awaitable[None]]  # Publishes an outcome (`OutcomeWriter`).

AT_ONCE = (
    16  # Deliveries in flight by channel: a gateway is slow, and the database is not the limit.
)
NOT_NOW = (*UNAVAILABLE, WriteConflictError, SubjectParkedError)  # The database or the keyring.
LOOK_EVERY = 0.25  # Seconds: an in-app notice is there within one (design 9).
LONGEST_PAUSE = 60.0  # What the database refuses will be refused again: people must mend it.


@dataclass(frozen=True)
class Outlet:
    """A channel and its rate limit."""

    channel: Channel
    bucket: Bucket
    is_quiet: bool = False  # It disturbs nobody, so it is used at any hour.


@dataclass
class Sender:
    """Delivers what is queued. A notice for a channel without an outlet fails, with a reason.

    `troubles`: where it says, by channel, what the database refuses.
    """

    store: SenderStore
    opener: Opener
    outlets: Mapping[words.Channel, Outlet]
    settle: Settle
    language: rendering.Language = "id"
    clock: Clock = wall_clock
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    troubles: dict[str, str] = field(default_factory=dict)

    async def run(self) -> None:
        """Work until `stopping` is set. What is in flight is brought to its end."""
        async with asyncio.TaskGroup() as group:
            for channel in ("inbox", "mail", "whatsapp"):
                group.create_task(self._serve(channel))

    async def _serve(self, channel: words.Channel) -> None:
        """Serve one channel, beside the others: a slow one must not delay another."""
        pause = LOOK_EVERY
        while not self.stopping.is_set():
            try:
                done = await self.round(channel)
            except NOT_NOW as failure:
                log.warning("sender_paused", channel=channel, error=type(failure).__name__)
                done, pause = 0, LOOK_EVERY
            except REFUSED as failure:
                self.troubles[f"sender, {channel}"] = refusal_of(failure)
                log.exception("sender_refused", channel=channel)
                done, pause = 0, min(LONGEST_PAUSE, pause * 2)
            else:
                self.troubles.pop(f"sender, {channel}", None)
                pause = LOOK_EVERY
            if not done:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.stopping.wait(), pause)

    async def round(self, channel: words.Channel) -> int:
        """Process some notices that are due; give how many changed."""
        due = await self.store.due(channel, self.clock(), AT_ONCE)
        if not due:
            return 0
        parked = await self.store.parked({job.employee_id for job in due})
        # All of them end before the first failure is raised: no sending is cancelled midway.
        ended = await asyncio.gather(
            *(self.attempt(job, is_parked=job.employee_id in parked) for job in due),
            return_exceptions=True,
        )
        for failure in ended:
            if isinstance(failure, BaseException):
                raise failure
        return ended.count(True)

    async def attempt(self, job: Job, *, is_parked: bool = False) -> bool:
        """Advance one job by a step; False: nothing could be done, it is left for later.

        `is_parked`: its outcome could not be stored now, and it would be sent again; so it waits.
        Every log line names the notice and the event that it is about.
        """
        with bound_contextvars(
            notification_id=job.notification_id,
            causation_id=job.about_event_id,
            correlation_id=job.about_event_id,  # As the outcome is told (outcome_writer.py).
        ):
            if is_parked:
                await self.store.postpone(job, self.clock() + jobs.WAIT_FOR_QUEUE)
                return True
            return await self._attempt(job)

    async def _attempt(self, job: Job) -> bool:
        outlet = self.outlets.get(job.channel)
        if outlet is None:
            return await self._give_up(job, "channel_off")
        try:
            found = await resolve(job, self.store, self.opener)
        except UnsealableError:
            return await self._give_up(job, "unsealable")
        now = self.clock()
        match found:
            case Unknown():
                return await self._wait(job, now)
            case Impossible(reason):
                return await self._give_up(job, reason)
            case Recipient():
                return await self._send(job, found, outlet, now)

    async def _send(self, job: Job, to: Recipient, outlet: Outlet, now: datetime) -> bool:
        if not outlet.is_quiet and (after := send_after(now, to.timezone)) > now:
            await self.store.postpone(job, after)
            return True
        if not outlet.bucket.take(asyncio.get_running_loop().time()):
            return False
        tries = await self.store.begin(job, now, now + jobs.LEASE)
        if tries is None:
            return False
        delivery = await self._delivered(job, to, outlet.channel)
        await self._settled(job, delivery, tries)
        return True

    async def _delivered(self, job: Job, to: Recipient, channel: Channel) -> Delivery:
        try:
            return await channel.deliver(self._message(job, to))
        except Exception as bug:  # noqa: BLE001  (one message must not stop all others)
            error = type(bug).__name__  # Not its text, which may quote a personal value.
            log.error("delivery_broke", error=error)  # noqa: TRY400  (as said)
            return Trouble("internal")

    def _message(self, job: Job, to: Recipient) -> Message:
        names = {"recipient": to.called, "name": to.about, "about_event_id": job.about_event_id}
        text = rendering.render(job.template, job.details, names, self.language)
        return Message(job, to.person_id, to.address, text)

    async def _settled(self, job: Job, delivery: Delivery, tries: int) -> None:
        """Publish the outcome of a try, or plan the next one."""
        person, notice = job.employee_id, job.notification_id
        if isinstance(delivery, Taken):
            await self.settle(job, Delivered(person, notice, tries))
        elif isinstance(delivery, Refused):
            await self.settle(job, Failed(person, notice, tries, delivery.reason))
        elif tries >= jobs.TRIES:
            await self.settle(job, Failed(person, notice, tries, "tries_used_up"))
        else:
            await self.store.postpone(job, self.clock() + jobs.pause_after(tries))
            log.info(
                "delivery_postponed",
                channel=job.channel,
                tries=tries,
                reason=delivery.reason,
            )

    async def _wait(self, job: Job, now: datetime) -> bool:
        later = jobs.next_look(job.first_seen_at, now)
        if later is None:
            return await self._give_up(job, "unknown_recipient")
        await self.store.postpone(job, later)
        return True

    async def _give_up(self, job: Job, reason: str) -> bool:
        await self.settle(job, Failed(job.employee_id, job.notification_id, job.tries, reason))
        return True
