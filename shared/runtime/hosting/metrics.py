"""The metrics that are computed only when asked: `/metrics` sets them before it answers.

Names and what each is for: `docs/observing.md` (kafka.md 13).
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from prometheus_client import Gauge

from shared.runtime.consumer.runner import Runner
from shared.runtime.hosting.status import ANSWER_SECONDS, ProcessStatus, ends_of
from shared.runtime.storage.failures import REFUSED, UNAVAILABLE

PLACE = ["group", "topic", "partition"]
LAG = Gauge("tertib_cursor_lag_records", "Records behind the log", PLACE)
AGE = Gauge("tertib_cursor_age_seconds", "How long a cursor stands though the log goes on", PLACE)
PARKED_SUBJECTS = Gauge("tertib_parked_subjects", "Subjects whose records queue", ["group"])
PARKED_RECORDS = Gauge("tertib_parked_records", "Records that wait in a queue", ["group"])
UNCLAIMED = Gauge("tertib_partitions_unclaimed", "Assigned, and not claimed yet", ["group"])
VERSION = Gauge("tertib_projection_version", "Version of the fold that runs", ["projection"])
UNSENT = Gauge(
    "tertib_outbox_oldest_unsent_seconds", "Age of what is not published", ["service", "outbox"]
)
REBUILT = Gauge("tertib_rebuild_done_ratio", "A rebuild under way", ["projection", "version"])


async def measure(vitals: ProcessStatus) -> None:
    """Set them. What a source that is away would tell is left as it is.

    The scrape then brings the counters all the same, and `/readyz` the reason.
    """
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            told = await vitals.status()
            ratios = await vitals.rebuilding()
    except (*UNAVAILABLE, REFUSED):
        return
    for name, outbox in told["outboxes"].items():
        UNSENT.labels(vitals.service, name).set(outbox["oldest_seconds"] or 0)
    REBUILT.clear()  # A rebuild that is over is not under way.
    for (projection, version), ratio in ratios.items():
        REBUILT.labels(projection, str(version)).set(ratio)
    for runner in vitals.runners:
        _measure_group(runner, told["groups"][runner.group])
    ends = await asyncio.gather(*(ends_of(runner) for runner in vitals.runners))
    for gauge in (LAG, AGE):
        gauge.clear()  # A partition that went to another member is that one's to tell.
    for runner, found in zip(vitals.runners, ends, strict=True):
        _measure_places(runner, told["groups"][runner.group]["cursors"], found)


def _measure_group(runner: Runner, group: Mapping[str, Any]) -> None:
    PARKED_SUBJECTS.labels(runner.group).set(group["parked"]["subjects"])
    PARKED_RECORDS.labels(runner.group).set(group["parked"]["records"])
    UNCLAIMED.labels(runner.group).set(len(runner.progress.waiting))
    VERSION.labels(runner.projection.name).set(runner.projection.version)


def _measure_places(
    runner: Runner, cursors: Mapping[str, Mapping[str, int]], ends: Mapping[tuple[str, int], int]
) -> None:
    for place, end in ends.items():
        topic, number = place[0], str(place[1])
        at = cursors[topic].get(number, 0)
        runner.progress.note_position(place, at, end)
        LAG.labels(runner.group, topic, number).set(max(0, end - at))
        AGE.labels(runner.group, topic, number).set(runner.progress.unmoved_seconds(place))
