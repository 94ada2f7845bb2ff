"""A rebuild beside live tables: fold from offset 0, compare with what was published, switch.

As of a live worker, the start of its processes is not counted.
"""

import asyncio
import json
import sys
from typing import Any

from benchmarks.stage import Answer, Log, Stage, quiet
from services.attendance.projection.assessor import Assessor
from shared.runtime.rebuild.rebuild import rebuild


def measure(stage: Stage, log: Log, database: str, workers: int) -> float:
    """Give records a second, comparing and switching included. The relay must have published.

    Errors: RuntimeError if it was refused, or too small for so many processes.
    """
    report = stage.run("rebuilding", log, database=database, workers=workers)
    if report["workers"] != workers:
        raise RuntimeError(f"{report['workers']} processes rebuilt, and not {workers}")
    if report["differences"]:
        raise RuntimeError(f"the rebuild was refused: {report['differences']}")
    rate: float = report["records"] / report["seconds"]
    return rate


async def fold_anew(settings: dict[str, Any]) -> Answer:
    """Rebuild once."""
    projection = Assessor()
    projection.topics = (settings["topic"],)
    where = settings["bootstrap"], settings["database"]
    report = await rebuild(projection, *where, workers=settings["workers"])
    return {
        "records": report.records,
        "seconds": report.seconds - report.starting,
        "workers": report.workers,
        "differences": list(report.differences),
    }


if __name__ == "__main__":
    quiet()
    print(json.dumps(asyncio.run(fold_anew(json.loads(sys.argv[1])))))  # noqa: T201
