"""Turns the cells of one row into what it says, with the ids it defines and the ids it points at.

Every function here raises ValueError for a row that cannot be read (A17).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.model import (
    COUNTRY,
    GROUPS,
    Decree,
    Excuse,
    Line,
    Pin,
    Regency,
    Shift,
    Source,
    Unit,
)
from tests.oracle.tables import Cells
from tests.oracle.times import Moment, read_date, read_moment

CALENDAR_KINDS = {"holiday", "joint_leave", "working_day"}
WAYS = {"mobile", "file", "manual"}
Id = tuple[str, str]


@dataclass(frozen=True)
class Read:
    """A row that could be read. `moments` are its times, whose zone may hang on other rows."""

    source: Source
    content: Any
    moments: dict[str, Moment] = field(default_factory=dict)
    points_at: list[Id] = field(default_factory=list)
    defines: Id | None = None


def refs(*pairs: tuple[str, str | None]) -> list[Id]:
    return [(kind, name) for kind, name in pairs if name is not None]


def in_order(first: date, last: date | None) -> None:
    if last is not None and last < first:
        msg = f"{last} is before {first}"
        raise ValueError(msg)


def known_kind(text: str, kinds: set[str]) -> str:
    if text not in kinds:
        msg = f"{text!r} is none of {sorted(kinds)}"
        raise ValueError(msg)
    return text


def open_date(cells: Cells, column: str) -> date | None:
    return read_date(cells[column]) if cells[column] else None


def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError) as error:
        msg = f"unknown zone {name!r}"
        raise ValueError(msg) from error


def regency(cells: Cells) -> Read:
    code, province = cells.needed("code"), cells.needed("province")
    if code.split(".")[0] != province:
        msg = f"{code} does not lie in province {province}"
        raise ValueError(msg)
    content = Regency(code, province, zone(cells.needed("timezone")))
    return Read(cells.source, content, defines=("regency", code))


def unit(cells: Cells) -> Read:
    content = Unit(
        cells.needed("unit_id"),
        cells.needed("regency"),
        cells.optional("parent_unit_id"),
        cells.optional("schedule_id"),
    )
    points = refs(
        ("regency", content.regency),
        ("unit", content.parent),
        ("employee", cells.optional("head_employee_id")),
        ("schedule", content.schedule_id),
    )
    return Read(cells.source, content, {}, points, ("unit", content.unit_id))


def line(cells: Cells) -> Read:
    content = Line(
        cells.needed("employee_id"),
        cells.needed("regency"),
        cells.needed("unit_id"),
        known_kind(cells.needed("employment"), set(GROUPS)),
        cells.optional("schedule_id"),
        read_date(cells.needed("active_from")),
        open_date(cells, "active_to"),
    )
    in_order(content.active_from, content.active_to)
    points = refs(
        ("regency", content.regency), ("unit", content.unit), ("schedule", content.schedule_id)
    )
    moments = {"recorded_at": read_moment(cells.needed("recorded_at"))}
    return Read(cells.source, content, moments, points, ("employee", content.employee))


def contact(cells: Cells) -> Read:
    employee = cells.needed("employee_id")
    cells.needed("channel")
    cells.needed("address")
    return Read(cells.source, None, points_at=[("employee", employee)])


def device(cells: Cells) -> Read:
    serial, code, where = cells.needed("serial"), cells.needed("regency"), cells["timezone"]
    content = (serial, code, zone(where) if where else None)
    points = refs(("regency", code), ("unit", cells.optional("unit_id")))
    return Read(cells.source, content, {}, points, ("device", serial))


def pin(cells: Cells) -> Read:
    content = Pin(
        cells.needed("serial"),
        cells.needed("pin"),
        cells.needed("employee_id"),
        read_date(cells.needed("valid_from")),
        open_date(cells, "valid_to"),
    )
    in_order(content.valid_from, content.valid_to)
    recorded = cells["recorded_at"]
    moments = {"recorded_at": read_moment(recorded)} if recorded else {}
    points = refs(("device", content.serial), ("employee", content.employee))
    return Read(cells.source, content, moments, points)


def shift(cells: Cells) -> Read:
    content = Shift(
        cells.needed("employee_id"),
        read_date(cells.needed("date")),
        cells.optional("schedule_id"),
    )
    moments = {"recorded_at": read_moment(cells.needed("recorded_at"))}
    points = refs(("employee", content.employee), ("schedule", content.schedule_id))
    return Read(cells.source, content, moments, points)


def decree(cells: Cells) -> Read:
    kind = known_kind(cells.needed("kind"), CALENDAR_KINDS)
    content = Decree(read_date(cells.needed("date")), cells.needed("scope"), kind)
    moments = {"recorded_at": read_moment(cells.needed("recorded_at"))}
    points = [] if content.scope == COUNTRY else [("scope", content.scope)]
    return Read(cells.source, content, moments, points)


def excuse(cells: Cells) -> Read:
    cells.needed("kind")
    content = Excuse(
        cells.needed("excuse_id"),
        cells.needed("employee_id"),
        read_date(cells.needed("from")),
        read_date(cells.needed("to")),
    )
    in_order(content.first, content.last)
    moments = {"recorded_at": read_moment(cells.needed("recorded_at"))}
    if cells["revoked_at"]:
        moments["revoked_at"] = read_moment(cells["revoked_at"])
    return Read(cells.source, content, moments, refs(("employee", content.employee)))


def outage(cells: Cells) -> Read:
    moments = {
        "from": read_moment(cells.needed("from")),
        "recorded_at": read_moment(cells.needed("recorded_at")),
    }
    if cells["to"]:
        moments["to"] = read_moment(cells["to"], end=True)
    where, serial = cells.optional("unit_id"), cells.optional("serial")
    content = (cells.needed("outage_id"), cells.needed("regency"), where, serial)
    points = refs(("regency", content[1]), ("unit", where), ("device", serial))
    return Read(cells.source, content, moments, points)


def late_upload(cells: Cells) -> Read:
    moments = {
        "from": read_moment(cells.needed("from")),
        "to": read_moment(cells.needed("to"), end=True),
        "received_at": read_moment(cells.needed("received_at")),
    }
    serial = cells.needed("serial")
    return Read(cells.source, serial, moments, refs(("device", serial)))


def check_in(cells: Cells) -> Read:
    employee = cells.needed("employee_id")
    moments = {"occurred_at": read_moment(cells.needed("occurred_at"))}
    if cells["received_at"]:
        moments["received_at"] = read_moment(cells["received_at"])
    content = (employee, known_kind(cells.needed("via"), WAYS))
    return Read(cells.source, content, moments, refs(("employee", employee)))


READERS: dict[str, Callable[[Cells], Read]] = {
    "regencies.csv": regency,
    "units.csv": unit,
    "employees.csv": line,
    "contacts.csv": contact,
    "devices.csv": device,
    "pins.csv": pin,
    "shifts.csv": shift,
    "calendar.csv": decree,
    "excuses.csv": excuse,
    "outages.csv": outage,
    "late-uploads.csv": late_upload,
    "check-ins.csv": check_in,
}
