"""A process that runs one member of a group, until it is told to stop or killed.

`python -m tests.faults.member SETTINGS`, where SETTINGS is JSON: bootstrap, database, topic, name
(the assessor's own, or a toy's), version (2: the assessor that can do it), limits, status (a file:
what the member says of itself, a few times a second).
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from services.attendance.projection.assessor import Assessor
from shared.runtime.consumer.runner import Runner
from shared.runtime.limits import Limits
from tests.attendance.second_version import SecondVersion, allow
from tests.kit.toy import Toy

PULSE = 0.1


async def live(settings: dict[str, Any]) -> None:
    """Run a member until SIGTERM."""
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    runner = Runner(
        projection_of(settings["name"], settings["topic"], settings["version"]),
        settings["bootstrap"],
        settings["database"],
        Limits(**settings["limits"]),
    )
    await runner.start()
    telling = asyncio.create_task(_tell(runner, Path(settings["status"])))
    await over.wait()
    await runner.stop()
    telling.cancel()


def projection_of(name: str, topic: str, version: int) -> Toy | Assessor:
    """Give the projection of this name, hearing this topic."""
    if name != Assessor.name:
        return Toy(topic, name)
    if version > 1:
        allow(pytest.MonkeyPatch())  # For the life of this process.
    assessor = SecondVersion() if version > 1 else Assessor()
    assessor.topics = (topic,)
    return assessor


async def _tell(runner: Runner, path: Path) -> None:
    while True:
        said = runner.progress
        facts = {
            "claimed": sorted(number for _, number in said.claimed),
            "stopped": {number: halt for (_, number), halt in said.stopped.items()},
            "refused": said.refused,
            "records": said.records,
        }
        half = path.with_suffix(".half")
        half.write_text(json.dumps(facts))
        half.replace(path)
        await asyncio.sleep(PULSE)


if __name__ == "__main__":
    asyncio.run(live(json.loads(sys.argv[1])))
    os._exit(0)  # No thread of a library may hold up what has ended.
