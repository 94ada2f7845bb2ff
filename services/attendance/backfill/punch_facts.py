"""Punches as facts: check-ins of the PIN's owner, or unresolved punches without one."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

from services.attendance.backfill.plan_entries import Entry, Planned, Rank
from services.attendance.dataset.dataset import Dataset
from services.attendance.dataset.punches import NOBODY, Explained, Heard
from services.attendance.facts.envelopes import SOURCE
from shared.events import attendance as words
from shared.events.envelope import Envelope, fact_id
from shared.events.structs import maker_of
from shared.kernel.local_time import DAY, EPOCH_DAY, local_text

_recorded = maker_of(words.CheckInRecorded)
_unresolved = maker_of(words.PunchUnresolved)
_device = maker_of(words.DevicePunch)
_CHECK_IN_TYPE = words.CheckInRecorded.type_name()
_UNRESOLVED_TYPE = words.PunchUnresolved.type_name()
# A machine that lost power begins again at its first year: a doubt, never a verdict.
_RESET_BEFORE = (730_486 - EPOCH_DAY) * DAY  # 2001-01-01
RESET = ("device_clock_reset",)
_NEVER = -(2**62)


class Turn(NamedTuple):
    """A punch's place in the plan, ordered as an `Entry` is."""

    at: int
    rank: int
    file: str
    line: int
    code: str
    facts: "PunchFacts"
    punch: int


class PunchFacts:
    """The facts of one machine's punches, made one by one when their turn comes."""

    def __init__(
        self,
        dataset: Dataset,
        heard: Heard,
        cut: int,
        cut_of: Mapping[str, int],
        pin_ids: Mapping[int, str],
    ) -> None:
        """Take the last instants of the machine's regency and of people, and PINs' ids by line."""
        self._heard = heard
        self._regency = dataset.devices[heard.log.serial].regency
        self._cut = cut
        self._cut_of = cut_of
        self._cuts = [cut_of.get(person, _NEVER) for person in heard.people]
        self._pin_ids = pin_ids
        self._next = 0

    def next_at(self) -> int | None:
        """Say when the next punch becomes known; None after the last."""
        known = self._heard.known_at
        return known[self._next] if self._next < len(known) else None

    def take(self, end: int) -> Iterator[Turn]:
        """Take the punches that become known before an instant, and are within their cut."""
        heard, known, file = self._heard, self._heard.known_at, self._heard.log.file
        line, place, who = heard.log.line, heard.place, heard.who
        first, self._next = self._next, bisect_left(known, end, self._next)
        for punch in range(first, self._next):
            at, person = known[punch], who[punch]
            if at <= (self._cut if person == NOBODY else self._cuts[person]):
                yield Turn(at, Rank.PUNCHES, file, line[place[punch]], "", self, punch)

    def explained(self) -> Iterator[Entry]:
        """Give the check-ins that a later PIN explains, among the punches of that second (A10)."""
        for explained in self._heard.explained:
            if explained.known_at <= self._cut_of.get(explained.pin.employee_id, _NEVER):
                line = self._heard.log.line[self._heard.place[explained.punch]]
                make = partial(self._explain, explained)
                file = self._heard.log.file
                yield Entry(explained.known_at, Rank.PUNCHES, file, line, "", make)

    def make(self, punch: int) -> Planned:
        """Give the fact of a punch as it stood when it became known."""
        who, at = self._heard.who[punch], self._heard.known_at[punch]
        if who == NOBODY:
            return self._unresolved(punch, at)
        return self._check_in(punch, at, self._heard.people[who], None)

    def _explain(self, explained: Explained) -> Planned:
        cause = self._pin_ids[explained.pin.line]
        who = explained.pin.employee_id
        return self._check_in(explained.punch, explained.known_at, who, cause)

    def _check_in(self, punch: int, at: int, who: str, cause: str | None) -> Planned:
        heard, log, clock = self._heard, self._heard.log, self._heard.clock
        place, occurred = heard.place[punch], heard.occurred_at[punch]
        received = heard.known_at[punch]
        pin, local = log.pins[log.pin[place]], log.local[place]
        status, verify = log.evidences[log.evidence[place]]
        happened = clock.aware(occurred)
        data = _recorded(
            employee_id=who,
            occurred_at=happened,
            received_at=happened if received == occurred else clock.aware(received),
            via="device",
            device=_device(serial=log.serial, pin=pin, status=status, verify=verify),
            signals=RESET if local < _RESET_BEFORE else (),
        )
        envelope = Envelope(
            causationid=cause,
            data=data,
            id=fact_id("CheckInRecorded", log.serial, pin, local_text(local)),
            recordedtime=clock.iso(at),
            regency=self._regency,
            source=SOURCE,
            subject=who,
            time=clock.iso(occurred),
            type=_CHECK_IN_TYPE,
        )
        return Planned(at, words.CheckInRecorded, envelope, who)

    def _unresolved(self, punch: int, at: int) -> Planned:
        heard, log, clock = self._heard, self._heard.log, self._heard.clock
        place, occurred = heard.place[punch], heard.occurred_at[punch]
        pin = log.pins[log.pin[place]]
        status, verify = log.evidences[log.evidence[place]]
        data = _unresolved(
            serial=log.serial,
            pin=pin,
            occurred_at=clock.aware(occurred),
            received_at=clock.aware(at),
            status=status,
            verify=verify,
        )
        envelope = Envelope(
            data=data,
            id=fact_id("PunchUnresolved", log.serial, pin, local_text(log.local[place])),
            recordedtime=clock.iso(at),
            regency=self._regency,
            source=SOURCE,
            subject=log.serial,
            time=clock.iso(occurred),
            type=_UNRESOLVED_TYPE,
        )
        return Planned(at, words.PunchUnresolved, envelope, log.serial)
