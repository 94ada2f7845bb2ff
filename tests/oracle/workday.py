"""One day of one person, assessed from everything known now (B6 to B16)."""

from datetime import date, datetime, timedelta

from tests.oracle.knowledge import Assessment, Day
from tests.oracle.lookups import View
from tests.oracle.model import CheckIn, Checkpoint, RuleSet

DEFAULT_MARKS = 1
DEFAULT_WINDOW = 3
ABSENT = {"pending", "unexcused"}


def assess(view: View, entry: Day, heard_on: date) -> Assessment:
    """Assess a day that was said or is to be said now, and keep its window.

    `heard_on` is the date on which a window starts that begins with this fact (B13).
    """
    day, rules = entry.day, entry.rule_set
    excuse = view.excuse(day)
    excuse_id = excuse.excuse_id if excuse else None
    own = view.check_ins(day)
    keys = tuple(one.key for one in own)
    entry.covered = excuse is not None or view.outage(day)
    status = status_of(view, day, rules, own)
    if status == "absent":
        status = absent_status(view, entry, heard_on)
    else:
        entry.window_start, entry.window_ended = None, False
    if status != "present":
        return Assessment(status, excuse_id=excuse_id, check_ins=keys)

    points = view.checkpoints(day)
    late = sum(minutes(view, day, one, own) for one in points if one.direction == "in")
    early = sum(minutes(view, day, one, own) for one in points if one.direction == "out")
    missed = tuple(one.name for one in points if not inside(view, day, one, own))
    return Assessment(status, late, early, missed, excuse_id, keys)


def status_of(view: View, day: date, rules: RuleSet | None, own: list[CheckIn]) -> str:
    """Give `off`, `present`, `excused`, `held`, or `absent` for what only a window decides."""
    if not view.required(day):
        return "off"
    if marks(view, day, own) >= (rules.min_marks if rules else DEFAULT_MARKS):
        return "present"
    if view.excuse(day) is not None:
        return "excused"
    return "held" if view.outage(day) else "absent"


def inside(view: View, day: date, point: Checkpoint, own: list[CheckIn]) -> list[datetime]:
    """Give the times of the day's check-ins in a checkpoint's window, both ends included (B6)."""
    opens, closes = view.at(day, point.opens), view.at(day, point.closes)
    return [one.at for one in own if opens <= one.at <= closes]


def marks(view: View, day: date, own: list[CheckIn]) -> int:
    """Count presence checkpoints met, and one more if a check-in lies in none of them (B6)."""
    points = [one for one in view.checkpoints(day) if one.presence]
    met = [inside(view, day, one, own) for one in points]
    used = {at for times in met for at in times}
    return sum(bool(times) for times in met) + any(one.at not in used for one in own)


def minutes(view: View, day: date, point: Checkpoint, own: list[CheckIn]) -> int:
    """Give whole minutes late or early at one checkpoint; none where it was not met (B11)."""
    times = inside(view, day, point, own)
    if not point.presence or not times:
        return 0
    due = view.at(day, point.due)
    late = min(times) - due if point.direction == "in" else due - max(times)
    return max(late, timedelta()) // timedelta(minutes=1)


def absent_status(view: View, entry: Day, heard_on: date) -> str:
    """Say whether the evidence window of an absent day has ended (B13)."""
    if entry.window_start is None:
        entry.window_start = heard_on
    if not entry.window_ended:
        wanted = entry.rule_set.window if entry.rule_set else DEFAULT_WINDOW
        entry.window_ended = counted(view, entry.window_start) >= wanted
    return "unexcused" if entry.window_ended else "pending"


def counted(view: View, start: date) -> int:
    """Count the closed dates after a window's start that count (B13)."""
    dates = {day for closed in view.world.closed.values() for day in closed if day > start}
    return sum(view.closed(day) and view.counts(day) for day in dates)
