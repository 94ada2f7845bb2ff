"""Waiting until every service has caught up with everything on the log.

It asks only the brokers for the ends of the topics, and each service for its own `/status`: who
hears what, how far it is, what it still has to publish. No service's database is read.
"""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.errors import CannotRunError
from shared.runtime.kafka.client import admin_client
from shared.runtime.kafka.log_ends import ends_of
from shared.runtime.positions import TopicPartition
from shared.runtime.settings import Settings

POLL_SECONDS = 0.2
# A service that is started again answers within this; one that is gone does not.
SILENT_SECONDS = 10.0
ANSWER_SECONDS = 5.0
# A rebuild that switches just now may be in the way once.
REFUSED_TIMES = 3

Status = Mapping[str, Any]
Statuses = Mapping[str, Status]


class CannotCatchUpError(CannotRunError):
    """The services cannot catch up: the message names what has stopped or does not answer."""


@dataclass(frozen=True)
class Remaining:
    """What is left. `records`: on the log and not taken; `due`: other work, such as notices.

    `parked`: records that wait for an operator; nobody waits for them. `gone`: why a service does
    not answer, by its name; nobody waits for these either.
    """

    records: int
    unsent: tuple[str, ...] = ()
    due: int = 0
    parked: int = 0
    gone: Mapping[str, str] = field(default_factory=dict)

    @property
    def nothing(self) -> bool:
        """Say whether everything is done."""
        return not (self.records or self.unsent or self.due)


async def wait_until_caught_up(
    settings: Settings, progress: Callable[[Remaining], None] = lambda _: None
) -> Remaining:
    """Wait until every service has caught up; `progress` is told what is left, again and again.

    One that does not answer is waited for no longer than `SILENT_SECONDS`; the others go on.
    Errors: CannotCatchUpError for a stopped partition, or if no service answers.
    """
    left = Remaining(0)
    async for left in catch_up(settings):
        progress(left)
    return left


async def catch_up(settings: Settings) -> AsyncIterator[Remaining]:
    """Give what is left until it is nothing: the last one says so.

    A round is settled if the ends of all topics are the same before and after every service said
    that it has reached them and published what followed. So nothing was on its way between two.
    """
    if not settings.status_urls:
        message = "no service is known to wait for: run `tertib up`, or set TERTIB_STATUS_URLS"
        raise CannotCatchUpError(message)
    asking = _Asking(settings.status_urls)
    brokers = admin_client(settings.bootstrap)
    before = await asyncio.to_thread(ends_of, brokers, heard(await asking.statuses()))
    while True:
        statuses = await asking.statuses()
        left = replace(what_is_left(statuses, before), gone=dict(asking.gone))
        after = await asyncio.to_thread(ends_of, brokers, heard(statuses))
        if left.nothing and after == before:
            yield left
            return
        if not left.nothing:
            yield left
        before = after
        await asyncio.sleep(POLL_SECONDS)


def what_is_left(statuses: Statuses, ends: Mapping[TopicPartition, int]) -> Remaining:
    """Compare what the services have reached with the ends of the topics.

    Errors: CannotCatchUpError for a stopped partition, or a database that refuses every write.
    """
    stopped = list(_stopped(statuses))
    if stopped:
        raise CannotCatchUpError("stopped, and not going on by itself: " + "; ".join(stopped))
    refused = list(_refused(statuses))
    if refused:
        raise CannotCatchUpError("the database refuses every write: " + "; ".join(refused))
    return Remaining(
        records=sum(
            max(0, ends.get((topic, number), 0) - offset)
            for group in _groups(statuses)
            for topic, number, offset in _cursors(group)
        ),
        unsent=tuple(
            f"{name} {table}"
            for name, one in statuses.items()
            for table, outbox in one["outboxes"].items()
            if outbox["unsent"]
        ),
        due=sum(
            int(part.get("due", 0)) for one in statuses.values() for part in one["parts"].values()
        ),
        parked=sum(int(group["parked"]["records"]) for group in _groups(statuses)),
    )


def heard(statuses: Statuses) -> list[TopicPartition]:
    """Name every partition that any service consumes."""
    places = {
        (topic, number) for group in _groups(statuses) for topic, number, _ in _cursors(group)
    }
    return sorted(places)


def _stopped(statuses: Statuses) -> Iterator[str]:
    for status in statuses.values():
        for name, group in status["groups"].items():
            for each in group["stopped"]:
                yield f"{name}, {each['topic']}/{each['partition']}: {each['reason']}"


def _refused(statuses: Statuses) -> Iterator[str]:
    for status in statuses.values():
        for name, group in status["groups"].items():
            run = group["refused"]
            if run is not None and not run["passing"] and run["times"] >= REFUSED_TIMES:
                yield f"{name}: {run['error']}"


def _groups(statuses: Statuses) -> Iterator[Mapping[str, Any]]:
    for status in statuses.values():
        yield from status["groups"].values()


def _cursors(group: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    for topic, offsets in group["cursors"].items():
        for number, offset in offsets.items():
            yield topic, int(number), offset


class _Asking:
    """Asks the services; tolerates one that restarts, for as long as a restart takes."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = urls
        self.gone: dict[str, str] = {}  # Why, by name.

    async def statuses(self) -> Statuses:
        """Ask all at the same time, and give the answers that come in time.

        Errors: CannotCatchUpError if none does.
        """
        answers = await asyncio.gather(*(self._status(name) for name in self._urls))
        found = dict(zip(self._urls, answers, strict=True))
        if not any(found.values()):
            silent = "; ".join(f"{name} {why}" for name, why in self.gone.items())
            raise CannotCatchUpError(f"{silent}: see `tertib status`")
        return {name: status for name, status in found.items() if status is not None}

    async def _status(self, name: str) -> Status | None:
        url = f"{self._urls[name]}/status"
        # Who was given up is asked once a round: he may have been started again.
        until = time.monotonic() + (0 if name in self.gone else SILENT_SECONDS)
        while True:
            try:
                status = await asyncio.to_thread(_fetched, url)
            except (OSError, ValueError):
                why = "does not answer"
            else:
                if all(group["schema"] for group in status["groups"].values()):
                    self.gone.pop(name, None)
                    return status
                why = "is not ready"
            if time.monotonic() > until:
                self.gone[name] = f"{why} at {url}"
                return None
            await asyncio.sleep(POLL_SECONDS)


def _fetched(url: str) -> Status:
    with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:  # noqa: S310  (settings allow http only)
        status: Status = json.load(answer)
        return status
