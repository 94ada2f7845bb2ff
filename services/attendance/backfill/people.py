"""Facts of single people: lines, shifts, letters, check-ins without a device."""

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from services.attendance.backfill.cuts import Cuts
from services.attendance.backfill.plan_entries import Entry, Ordinals, Planned, Rank, planned
from services.attendance.dataset import rows
from services.attendance.dataset.dataset import Dataset
from services.attendance.facts.envelopes import FactContext, sealed
from shared.events import attendance as words
from shared.events.base import Fact, Sealed
from shared.events.envelope import fact_id
from shared.events.sealing import Sealer, person_kid
from shared.events.structs import maker_of

_contact = maker_of(words.Contact)
_registered = maker_of(words.EmployeeRegistered)
_shift_assigned = maker_of(words.ShiftAssigned)
_excuse_recorded = maker_of(words.ExcuseRecorded)
_excuse_revoked = maker_of(words.ExcuseRevoked)
_check_in_recorded = maker_of(words.CheckInRecorded)


class People:
    """The keyed facts of a dataset, punches apart; of those who are forgotten there are none."""

    def __init__(self, dataset: Dataset, cuts: Cuts, sealer: Sealer) -> None:
        self._dataset = dataset
        self._sealer = sealer
        self._ordinals = Ordinals()
        self.cut_of: dict[str, int] = {
            who: cuts.person(who)
            for who in dataset.histories
            if not sealer.is_forgotten(person_kid(who))
        }

    def entries(self) -> Iterator[Entry]:
        """Give the entries in no order, those known after the person's last fact left out (A2)."""
        every = (*self._lines(), *self._shifts(), *self._excuses(), *self._check_ins())
        for employee_id, entry in every:
            cut = self.cut_of.get(employee_id)
            if cut is not None and entry.at <= cut:
                yield entry

    def _context(self, employee_id: str, at: int) -> FactContext:
        """Tell a fact on the clock of the person's regency then."""
        clocks = self._dataset.clocks
        code = clocks.home(self._dataset.histories, employee_id, at)
        return FactContext(employee_id, code, clocks.regency(code))

    def _lines(self) -> Iterator[tuple[str, Entry]]:
        for row in self._dataset.employees:
            id_ = self._ordinals.id(
                words.EmployeeRegistered,
                row.employee_id,
                row.regency,
                row.unit_id,
                row.employment,
                row.position_level,
                row.supervisor_id,
                row.schedule_id,
                row.active_from.isoformat(),
                None if row.active_to is None else row.active_to.isoformat(),
                row.recorded_at,
            )
            make = partial(self._line, row, id_)
            at = row.recorded_at
            yield row.employee_id, _entry(at, Rank.EMPLOYEES, "employees.csv", row, make)

    def _line(self, row: rows.Employee, id_: str) -> Planned:
        clock = self._dataset.clocks.regency(row.regency)
        context = FactContext(row.employee_id, row.regency, clock)
        seal = partial(self._seal, words.EmployeeRegistered, row.employee_id)
        data = _registered(
            employee_id=row.employee_id,
            nip=None if row.nip is None else seal(row.nip),
            name=None if row.name is None else seal(row.name),
            regency=row.regency,
            unit_id=row.unit_id,
            employment=row.employment,
            position_level=row.position_level,
            supervisor_id=row.supervisor_id,
            schedule_id=row.schedule_id,
            active_from=row.active_from,
            active_to=row.active_to,
            contacts=tuple(self._contacts(row)),
        )
        return planned(id_, context, row.recorded_at, data)

    def _contacts(self, row: rows.Employee) -> Iterator[words.Contact]:
        """Give how a person is reached: with the first line that becomes known of them (A6)."""
        if self._dataset.histories.first_known(row.employee_id) is not row:
            return
        for contact in self._dataset.contacts.get(row.employee_id, ()):
            address = self._seal(words.EmployeeRegistered, row.employee_id, contact.address)
            yield _contact(channel=contact.channel, address=address)

    def _seal(self, kind: type[Fact], employee_id: str, text: str) -> Sealed:
        return sealed(self._sealer, kind, person_kid(employee_id), employee_id, text)

    def _shifts(self) -> Iterator[tuple[str, Entry]]:
        for row in self._dataset.shifts:
            natural = row.employee_id, row.on.isoformat(), row.schedule_id, row.recorded_at
            make = partial(self._shift, row, self._ordinals.id(words.ShiftAssigned, *natural))
            yield row.employee_id, _entry(row.recorded_at, Rank.SHIFTS, "shifts.csv", row, make)

    def _shift(self, row: rows.Shift, id_: str) -> Planned:
        context = self._context(row.employee_id, row.recorded_at)
        data = _shift_assigned(employee_id=row.employee_id, on=row.on, schedule_id=row.schedule_id)
        return planned(id_, context, row.recorded_at, data)

    def _excuses(self) -> Iterator[tuple[str, Entry]]:
        for row in self._dataset.excuses:
            make = partial(self._excuse, row)
            yield row.employee_id, _entry(row.recorded_at, Rank.EXCUSES, "excuses.csv", row, make)
            at = row.revoked_at
            if at is not None:
                make = partial(self._revocation, row, at)
                yield row.employee_id, _entry(at, Rank.REVOCATIONS, "excuses.csv", row, make)

    def _excuse(self, row: rows.Excuse) -> Planned:
        id_ = fact_id("ExcuseRecorded", row.excuse_id)
        seal = partial(self._seal, words.ExcuseRecorded, row.employee_id)
        context = self._context(row.employee_id, row.recorded_at)
        data = _excuse_recorded(
            excuse_id=row.excuse_id,
            employee_id=row.employee_id,
            first_on=row.first_on,
            last_on=row.last_on,
            kind=seal(row.kind),
            document=None if row.document is None else seal(row.document),
        )
        return planned(id_, context, row.recorded_at, data)

    def _revocation(self, row: rows.Excuse, at: int) -> Planned:
        id_ = fact_id("ExcuseRevoked", row.excuse_id, at)
        data = _excuse_revoked(excuse_id=row.excuse_id, employee_id=row.employee_id)
        return planned(id_, self._context(row.employee_id, at), at, data)

    def _check_ins(self) -> Iterator[tuple[str, Entry]]:
        """Give check-ins without a device; of equal ones the first known (A14)."""
        seen = set[tuple[str, int, str]]()
        for row in sorted(self._dataset.check_ins, key=lambda c: (c.received_at, c.line)):
            natural = row.employee_id, row.occurred_at, row.via
            if natural not in seen:
                seen.add(natural)
                make = partial(self._check_in, row)
                entry = _entry(row.received_at, Rank.CHECK_INS, "check-ins.csv", row, make)
                yield row.employee_id, entry

    def _check_in(self, row: rows.CheckIn) -> Planned:
        id_ = fact_id("CheckInRecorded", row.employee_id, row.occurred_at, row.via)
        context = self._context(row.employee_id, row.occurred_at)
        data = _check_in_recorded(
            employee_id=row.employee_id,
            occurred_at=context.clock.aware(row.occurred_at),
            received_at=context.clock.aware(row.received_at),
            via=row.via,
        )
        fact = planned(id_, context, row.received_at, data)
        happened = context.clock.iso(row.occurred_at)
        envelope = msgspec.structs.replace(fact.envelope, time=happened)
        return fact._replace(envelope=envelope)


_Row = rows.Employee | rows.Shift | rows.Excuse | rows.CheckIn


def _entry(at: int, rank: int, file: str, row: _Row, make: Callable[[], Planned]) -> Entry:
    return Entry(at, rank, file, row.line, "", make)
