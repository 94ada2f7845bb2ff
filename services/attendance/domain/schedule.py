"""What a day asks for: checkpoints, their windows, and the span that check-ins belong to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from msgspec import Struct

from services.attendance.domain.buckets import bucket_of
from shared.kernel.local_time import LocalClock, weekday_of

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERYWHERE = "*"
_KEPT_PLANS = 1_000  # A year of days and some; beyond it the plans are made again.


class Window(NamedTuple):
    """A checkpoint on a real day. Units: instants; both ends belong to it (semantics B6)."""

    name: str
    opens: int
    due: int
    closes: int
    presence: bool
    direction: str


class Plan(Struct, frozen=True):
    """One day of one schedule: the windows in schedule order, and the span with its slack (B2).

    `buckets`: under which days a check-in within the span may be kept; `overlaps`: whether one
    check-in can lie in two presence windows.
    """

    begins: int
    ends: int
    windows: tuple[Window, ...]
    presence: tuple[Window, ...]
    buckets: range
    overlaps: bool


@dataclass
class Schedule:
    """A version of a schedule.

    Units: checkpoints in minutes after local midnight (beyond 1,440: past it), slack in minutes.
    """

    id: str
    regency: str
    effective_from: int
    slack: int
    on_holidays: bool
    week: tuple[tuple[Any, ...], ...]
    _plans: dict[tuple[str, int], Plan | None] = field(default_factory=dict, repr=False)

    def plan(self, clock: LocalClock, day: int) -> Plan | None:
        """Give the day's windows as instants; None where nothing is asked that weekday."""
        key = clock.name, day
        if key not in self._plans:
            if len(self._plans) >= _KEPT_PLANS:
                self._plans.clear()
            self._plans[key] = self._make(clock, day)
        return self._plans[key]

    def _make(self, clock: LocalClock, day: int) -> Plan | None:
        checkpoints = self.week[weekday_of(day)]
        if not checkpoints:
            return None
        start = clock.midnight(day)
        windows = tuple(
            Window(
                c.name,
                start + c.opens * 60,
                start + c.due * 60,
                start + c.closes * 60,
                c.kind == "presence",
                c.direction,
            )
            for c in checkpoints
        )
        presence = tuple(w for w in windows if w.presence)
        ordered = sorted(presence, key=lambda w: w.opens)
        begins = min(w.opens for w in windows) - self.slack * 60
        ends = max(w.closes for w in windows) + self.slack * 60
        return Plan(
            begins,
            ends,
            windows,
            presence,
            range(bucket_of(begins), bucket_of(ends) + 1),
            any(one.closes >= two.opens for one, two in pairwise(ordered)),
        )

    def reach(self) -> tuple[int, int]:
        """Say how many days before and after its date a span of this schedule can touch."""
        all_of = [c for weekday in self.week for c in weekday]
        if not all_of:
            return 0, 0
        first = min(c.opens for c in all_of) - self.slack
        last = max(c.closes for c in all_of) + self.slack
        return max(0, -(first // 1440)), max(0, last // 1440)


def schedule_from(data: Any) -> Schedule:
    """Make a schedule of a `SchedulePublished` (as struct)."""
    week: Mapping[str, Iterable[Any]] = data.week
    return Schedule(
        data.id,
        data.regency,
        data.effective_from.toordinal(),
        data.slack_minutes,
        data.on_holidays,
        tuple(tuple(week.get(name, ())) for name in WEEKDAYS),
    )


def in_force(versions: Iterable[Schedule], regency: str, day: int) -> Schedule | None:
    """Choose the version of a schedule: the own regency's, even an older one, before `*` (B5).

    Of one origin the latest `effective_from` up to the day, of equal ones the last published.
    """
    best: Schedule | None = None
    for version in versions:
        if version.effective_from > day or version.regency not in (regency, EVERYWHERE):
            continue
        if best is None or _rank(version) >= _rank(best):
            best = version
    return best


def _rank(version: Schedule) -> tuple[bool, int]:
    return version.regency != EVERYWHERE, version.effective_from
