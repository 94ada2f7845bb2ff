"""A small world for tests of the assessor: facts in the words of an office, folded in memory."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from services.attendance.domain.person import Person
from services.attendance.projection.assessor import Assessor
from shared.events import attendance as words
from shared.events.base import Fact
from shared.events.envelope import Envelope, fact_id
from shared.events.structs import envelope_of, struct_of
from shared.kernel.local_time import date_of
from shared.runtime.processing.in_memory import InMemoryProjection

LADDER = (
    (3, "ringan", "teguran_lisan", "9(2) b"),
    (4, "ringan", "teguran_tertulis", "9(2) b"),
    (7, "ringan", "pernyataan_tidak_puas", "9(2) b"),
    (11, "sedang", "potong_tunjangan_25_6_bulan", "10(2) f"),
    (14, "sedang", "potong_tunjangan_25_9_bulan", "10(2) f"),
    (17, "sedang", "potong_tunjangan_25_12_bulan", "10(2) f"),
    (21, "berat", "penurunan_jabatan_12_bulan", "11(2) d 1"),
    (25, "berat", "pembebasan_jabatan_12_bulan", "11(2) d 2"),
    (28, "berat", "pdhtaps", "11(2) d 3"),
)
RUN = ((10, "berat", "pdhtaps", "11(2) d 4"),)
OFFICE = (
    ("masuk", "06:30", "07:30", "09:00", "presence", "in"),
    ("pulang", "15:00", "16:00", "19:00", "presence", "out"),
)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
SEALED = {"kid": "k", "ct": "c"}


def on(text: str) -> date:
    """Read an ISO date."""
    return date.fromisoformat(text)


class World:
    """One regency, one office, one rule set; more on request. Facts are told as they are called.

    `told` collects every event; times are local to the regency unless they carry an offset.
    """

    def __init__(
        self,
        code: str = "53.01",
        zone: str = "Asia/Makassar",
        *,
        assessor: Assessor | None = None,
        **counting: Any,
    ) -> None:
        self.code = code
        self.zone = ZoneInfo(zone)
        self.now = datetime(2025, 12, 1, 8, tzinfo=self.zone)
        self.told: list[Envelope] = []
        self._folding = InMemoryProjection(assessor or Assessor(forgets=False))
        self._broadcasts = 0
        self._facts = 0
        self.say(
            words.RegencyRegistered, code, code=code, name=code, province=code[:2], timezone=zone
        )
        self.schedule("kantor", dict.fromkeys(WEEKDAYS, OFFICE))
        self.unit("U1", schedule_id="kantor")
        self.rules(**counting)

    def say(
        self, fact: type[Fact], subject: str, /, *, id_: str | None = None, **data: Any
    ) -> list[Envelope]:
        """Put a fact on the log, recorded now, and fold it."""
        self._facts += 1
        if fact.BROADCAST:
            self._broadcasts += 1
        moment = self.now.isoformat(timespec="seconds")
        envelope = envelope_of(fact)(
            broadcastseq=self._broadcasts if fact.BROADCAST else None,
            data=msgspec.convert(data, struct_of(fact)),
            id=id_ or fact_id(fact.__name__, self._facts),
            recordedtime=moment,
            regency="*" if subject == "*" else self.code,
            source="/attendance",
            subject=subject,
            time=moment,
            type=fact.type_name(),
        )
        told = self._folding.hear(envelope)
        self.told.extend(told)
        return told

    def at(self, moment: str) -> "World":
        """Let the next facts become known then, local time."""
        self.now = datetime.fromisoformat(moment).replace(tzinfo=self.zone)
        return self

    def schedule(  # noqa: PLR0913  (each is a part of the document)
        self,
        name: str,
        week: dict[str, Sequence[Sequence[str]]],
        *,
        since: str = "2020-01-01",
        slack: int = 30,
        on_holidays: bool = False,
        regency: str | None = None,
    ) -> list[Envelope]:
        """Publish a version of a schedule.

        Shapes: a checkpoint is (name, opens, due, closes, kind, way).
        """
        days = {
            weekday: [
                {
                    "name": label,
                    "opens": minutes(opens),
                    "due": minutes(due),
                    "closes": minutes(closes),
                    "kind": kind,
                    "direction": way,
                }
                for label, opens, due, closes, kind, way in checkpoints
            ]
            for weekday, checkpoints in week.items()
        }
        return self.say(
            words.SchedulePublished,
            self.code,
            id=name,
            regency=regency or self.code,
            effective_from=on(since),
            slack_minutes=slack,
            on_holidays=on_holidays,
            week=days,
        )

    def unit(
        self, name: str, *, parent: str | None = None, schedule_id: str | None = None
    ) -> list[Envelope]:
        """Register an office."""
        return self.say(
            words.UnitRegistered,
            self.code,
            unit_id=name,
            regency=self.code,
            name=name,
            parent_unit_id=parent,
            head_employee_id=None,
            schedule_id=schedule_id,
        )

    def rules(  # noqa: PLR0913  (each is a part of the document)
        self,
        name: str = "pp94-2021",
        version: int = 1,
        *,
        regency: str = "*",
        applies_to: Sequence[str] = ("PNS", "CPNS"),
        since: str = "2021-08-31",
        cumulative: Iterable[tuple[int, str, str, str]] = LADDER,
        consecutive: Iterable[tuple[int, str, str, str]] = RUN,
        digest: str | None = None,
        **counting: Any,
    ) -> list[Envelope]:
        """Publish a rule set."""
        keys = ("days", "level", "sanction", "article")
        return self.say(
            words.RuleSetPublished,
            self.code,
            id=name,
            version=version,
            legal_basis="PP 94/2021",
            regency=regency,
            applies_to=list(applies_to),
            effective_from=on(since),
            counting=counting,
            tiers={
                "cumulative": [dict(zip(keys, tier, strict=True)) for tier in cumulative],
                "consecutive": [dict(zip(keys, tier, strict=True)) for tier in consecutive],
            },
            digest=digest or f"{name}@{version}",
        )

    def hire(self, who: str = "A", **line: Any) -> list[Envelope]:
        """Register a line of a person's history."""
        known = {
            "nip": None,
            "name": None,
            "regency": self.code,
            "unit_id": "U1",
            "employment": "PNS",
            "position_level": "PELAKSANA",
            "supervisor_id": None,
            "schedule_id": None,
            "active_from": on("2020-01-01"),
            "active_to": None,
        }
        return self.say(words.EmployeeRegistered, who, employee_id=who, **(known | line))

    def tap(self, *moments: str, who: str = "A") -> list[Envelope]:
        """Let a person be seen at these local times; each is heard in the order given."""
        told: list[Envelope] = []
        for moment in moments:
            at = datetime.fromisoformat(moment).replace(tzinfo=self.zone)
            told += self.say(
                words.CheckInRecorded,
                who,
                id_=fact_id("CheckInRecorded", who, moment),
                employee_id=who,
                occurred_at=at,
                received_at=self.now,
                via="device",
            )
        return told

    def work(self, day: str, who: str = "A") -> list[Envelope]:
        """Let a person come and go in time."""
        return self.tap(f"{day}T07:20:00", f"{day}T16:05:00", who=who)

    def close(self, day: str) -> list[Envelope]:
        """Close a day, at noon of the next."""
        noon = datetime.combine(on(day) + timedelta(days=1), datetime.min.time())
        self.now = (noon + timedelta(hours=12)).replace(tzinfo=self.zone)
        return self.say(words.WorkdayClosed, self.code, regency=self.code, on=on(day))

    def close_all(self, first: str, last: str) -> "World":
        """Close every date of a range."""
        day = on(first)
        while day <= on(last):
            self.close(day.isoformat())
            day += timedelta(days=1)
        return self

    def adopt(self, version: int, service: str = "attendance") -> list[Envelope]:
        """Adopt a version of a service's fold, for every regency."""
        return self.say(words.FoldAdopted, "*", service=service, version=version)

    def excuse(self, name: str, first: str, last: str, who: str = "A") -> list[Envelope]:
        """Record a letter."""
        return self.say(
            words.ExcuseRecorded,
            who,
            id_=fact_id("ExcuseRecorded", name),
            excuse_id=name,
            employee_id=who,
            first_on=on(first),
            last_on=on(last),
            kind=SEALED,
        )

    def revoke(self, name: str, who: str = "A") -> list[Envelope]:
        """Revoke a letter."""
        return self.say(words.ExcuseRevoked, who, excuse_id=name, employee_id=who)

    def shift(self, day: str, schedule_id: str | None, who: str = "A") -> list[Envelope]:
        """Assign a shift."""
        return self.say(
            words.ShiftAssigned, who, employee_id=who, on=on(day), schedule_id=schedule_id
        )

    def holiday(self, day: str, scope: str = "ID", kind: str = "holiday") -> list[Envelope]:
        """Publish a row of a calendar decree."""
        return self.say(
            words.CalendarPublished, self.code, on=on(day), scope=scope, kind=kind, name="Libur"
        )

    def outage(
        self,
        name: str,
        begins: str,
        ends: str | None,
        *,
        unit_id: str | None = None,
        serial: str | None = None,
    ) -> list[Envelope]:
        """Declare an outage."""
        return self.say(
            words.OutageDeclared,
            self.code,
            outage_id=name,
            regency=self.code,
            unit_id=unit_id,
            serial=serial,
            begins_at=datetime.fromisoformat(begins).replace(tzinfo=self.zone),
            ends_at=ends and datetime.fromisoformat(ends).replace(tzinfo=self.zone),
        )

    def pin(
        self, serial: str, pin: str, who: str, first: str = "2020-01-01", last: str | None = None
    ) -> list[Envelope]:
        """Assign a PIN."""
        return self.say(
            words.PinAssigned,
            self.code,
            serial=serial,
            pin=pin,
            employee_id=who,
            valid_from=on(first),
            valid_to=last and on(last),
        )

    def person(self, who: str = "A") -> Person:
        """Give what is kept of a person."""
        return self._folding.states[who]

    def statuses(self, who: str = "A") -> dict[str, str]:
        """Give every day said, and how it stands."""
        days = sorted(self.person(who).days.items())
        return {date_of(day).isoformat(): said.status for day, said in days}

    def thresholds(self, who: str = "A") -> list[tuple[str, int, int, str]]:
        """Give every threshold in the order said: measure, tier, count, state."""
        return [
            (t.measure, t.threshold_days, t.days, "active" if t.active else "retracted")
            for t in self.person(who).thresholds
        ]


def minutes(clock: str) -> int:
    """Read a local time, perhaps past midnight, as minutes."""
    hours, rest = clock.split(":")
    return int(hours) * 60 + int(rest)
