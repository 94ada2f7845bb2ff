"""The same fold as a Quix Streams application, with its own state in RocksDB and its changelog.

Quix has no broadcast, so a closing is a record for each person. The fold is the ordinary case
alone: no letters, outages, shifts, moves or late records, which its state would have to keep; so
the ratio flatters it. It tells `WorkdayAssessed` on an output topic, as the assessor does.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from quixstreams import Application, State

from benchmarks.facts import Record, Story, personal_closings
from benchmarks.stage import Stage

WINDOWS = (("masuk", 390, 450, 540, "in"), ("pulang", 900, 960, 1140, "out"))  # Minutes.
EVIDENCE_DAYS = 3
LADDER = (3, 4)
IDLE_SECONDS = 60.0


def measure(stage: Stage, people: int, days: int) -> float:
    """Give check-ins a second, with the closings of their days done as well."""
    log = stage.write(stage.topic(), keyed_log(people, days))
    seconds: float = stage.run("quix", log)["seconds"]
    return log.check_ins / seconds


def keyed_log(people: int, days: int) -> Iterator[Record]:
    """Give the same check-ins as the assessor's log, and a closing for each person and day."""
    story = Story(people)
    for _ in range(days):
        yield from story.check_ins()
        yield from personal_closings(people, story.on)
        story.closing()


def fold(heard: dict[str, Any], state: State[str, Any]) -> list[dict[str, Any]]:
    """Take a check-in or a closing of one person; give what is told."""
    data = heard["data"]
    if "occurred_at" in data:
        day = data["occurred_at"][:10]
        punches = state.get(day, {})
        punches.setdefault(heard["id"], _minutes(data["occurred_at"]))
        state.set(day, punches)
        return []
    return _close(data["on"], state)


def _close(day: str, state: State[str, Any]) -> list[dict[str, Any]]:
    year = state.get("year", {"pending": [], "unexcused": [], "said": []})
    told = []
    if date.fromisoformat(day).weekday() <= 4:  # noqa: PLR2004  (Friday)
        told.append(_read(day, state.get(day, {})))
        if told[0]["status"] == "pending":
            year["pending"].append([day, 0])
        for waiting in year["pending"]:
            waiting[1] += 1
        over = [on for on, closed in year["pending"] if closed > EVIDENCE_DAYS]
        year["pending"] = [each for each in year["pending"] if each[1] <= EVIDENCE_DAYS]
        for on in over:
            year["unexcused"].append(on)
            told.append({"on": on, "status": "unexcused"})
        for tier in LADDER:
            if len(year["unexcused"]) >= tier and tier not in year["said"]:
                year["said"].append(tier)
                told.append({"threshold_days": tier, "dates": year["unexcused"]})
        for each in told:
            state.set(f"said-{each.get('on', day)}", each)
        state.set("year", year)
    return told


def _read(day: str, punches: dict[str, int]) -> dict[str, Any]:
    late = early = 0
    missed = []
    for name, opens, due, closes, direction in WINDOWS:
        inside = [at for at in punches.values() if opens <= at <= closes]
        if not inside:
            missed.append(name)
        elif direction == "in":
            late = max(0, min(inside) - due)
        else:
            early = max(0, due - max(inside))
    status = "present" if len(missed) < len(WINDOWS) else "pending"
    said = {"on": day, "status": status, "late_minutes": late, "early_minutes": early}
    return {**said, "missed": missed, "check_ins": list(punches)}


def _minutes(at: str) -> int:
    time_ = datetime.fromisoformat(at)
    return time_.hour * 60 + time_.minute


def apply(settings: dict[str, Any]) -> float:
    """Fold a topic once; give the seconds from its first record to its last."""
    wanted, times = sum(settings["ends"].values()), []
    with tempfile.TemporaryDirectory(dir=settings["folder"]) as folder:
        app = Application(
            settings["bootstrap"],
            consumer_group=f"quix-{settings['topic']}",
            auto_offset_reset="earliest",
            state_dir=folder,
            loglevel="ERROR",
        )
        frame = app.dataframe(app.topic(settings["topic"], value_deserializer="json"))

        def timed(heard: dict[str, Any], state: State[str, Any]) -> list[dict[str, Any]]:
            times.append(time.perf_counter())
            if len(times) == wanted:
                app.stop()
            return fold(heard, state)

        frame = frame.apply(timed, stateful=True, expand=True)
        frame.to_topic(app.topic(f"{settings['topic']}-told", value_serializer="json"))
        app.run(timeout=IDLE_SECONDS, collect=False)
    if len(times) != wanted:
        raise RuntimeError(f"{len(times)} of {wanted} records")
    return times[-1] - times[0]


if __name__ == "__main__":
    print(json.dumps({"seconds": apply(json.loads(sys.argv[1]))}))  # noqa: T201
