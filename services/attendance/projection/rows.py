"""A person's days and thresholds as rows of the tables, and back."""

from datetime import date

import msgspec

from services.attendance.domain.person import Day, Person, Said
from services.attendance.domain.rules import class_of
from shared.events.envelope import canonical
from shared.kernel.local_time import date_of
from shared.runtime.projection import Row

_ENCODE = msgspec.json.Encoder().encode  # Not sorted: punches keep the order in which they came.
_PUNCHES = msgspec.json.Decoder(dict[str, int])
_IDS = msgspec.json.Decoder(list[str])
_UNSAID = (None,) * 15


def day_row(person: Person, day: int) -> Row:
    """Give the row of a day: its check-ins, and its last assessment."""
    heard, said = person.punches.get(day), person.days.get(day)
    punches = _ENCODE(heard) if heard else None
    if said is None:
        return (person.id, date_of(day), punches, None, *_UNSAID)
    same = said.check_ins == (tuple(heard) if heard else ())
    return (
        person.id,
        date_of(day),
        punches,
        None if same else canonical(said.check_ins),
        said.status,
        said.late,
        said.early,
        ";".join(said.missed) if said.missed else "",
        said.excuse_id,
        said.revision,
        None if said.window is None else date_of(said.window),
        said.employment,
        said.regency,
        said.unit_id,
        said.schedule_id,
        said.rules,
        said.converts,
        said.seq,
        said.recorded,
    )


def restore_history(person: Person, row: Row) -> None:
    """Put all assessed days into the history; the columns are arrays of equal length."""
    for on, status, rules, employment, converts, seq in zip(*row[1:], strict=True):
        person.history.put(on.toordinal(), status, rules, class_of(employment), converts, seq)


def restore_day(person: Person, row: Row) -> None:
    """Restore a day's punches, and its last assessment."""
    (
        _, on, punches, check_ins, status, late, early, missed, excuse_id, revision, window,
        employment, regency, unit_id, schedule_id, rules, converts, seq, recorded,
    ) = row  # fmt: skip
    day = on.toordinal()
    person.stored_days.add(day)
    heard = _PUNCHES.decode(punches) if punches is not None else {}
    if heard:
        person.punches[day] = heard
    if status is None:
        return
    ids = list(heard) if check_ins is None else _IDS.decode(check_ins)
    person.days[day] = Day(
        status, late, early, tuple(missed.split(";")) if missed else (), excuse_id, tuple(ids),
        revision, None if window is None else window.toordinal(), employment, regency, unit_id,
        schedule_id, rules, converts, seq, recorded,
    )  # fmt: skip
    if status == "pending":
        person.pending.add(day)


def said_row(person: Person, said: Said) -> Row:
    """Give the row of a threshold."""
    return (
        person.id,
        said.seq,
        said.measure,
        said.year,
        said.klass,
        said.threshold_days,
        said.days,
        ";".join(date_of(d).isoformat() for d in said.dates),
        said.regency,
        date_of(said.dates[-1]) if said.dates else None,
        said.sanction,
        said.article,
        "active" if said.active else "retracted",
    )


def said_of(row: Row) -> Said:
    """Give the threshold of a row."""
    (
        _, seq, measure, year, klass, threshold_days, days, dates, regency, _, sanction, article,
        state,
    ) = row  # fmt: skip
    return Said(
        seq=seq,
        measure=measure,
        year=year,
        klass=klass,
        threshold_days=threshold_days,
        days=days,
        dates=tuple(date.fromisoformat(d).toordinal() for d in dates.split(";") if d),
        regency=regency,
        sanction=sanction,
        article=article,
        active=state == "active",
    )
