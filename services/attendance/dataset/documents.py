"""Schedules and rule sets (design 5): YAML documents, checked and typed field by field."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, get_args

from services.attendance.dataset.cells import UnreadableError, day, moment, one_of, text
from services.attendance.dataset.findings import Findings
from services.attendance.dataset.times import Written
from services.attendance.dataset.yamlfile import Fields, load_yaml
from shared.events.attendance import CheckpointKind, Direction, Employment, Level, Weekday

MOST = 2**31 - 1
_CLOCK_TIME = re.compile(r"(\d{1,2}):([0-5]\d)", re.ASCII)
_NUMBER = re.compile(r"\d{1,10}", re.ASCII)


class Draft(NamedTuple):
    """A document that can be read; whether its regency is known is checked later."""

    file: str
    content: dict[str, Any]
    recorded_at: Written | None


class Drafts(NamedTuple):
    """The documents of a folder that can be read, and the ids of those that cannot."""

    good: list[Draft]
    broken_ids: set[str]


def read_documents(
    folder: Path, kind: str, take: Callable[[Fields], dict[str, Any]], findings: Findings
) -> Drafts:
    """Read `<kind>/*.yaml`, by file name; a document that cannot be read becomes findings."""
    drafts = Drafts([], set())
    for path in sorted((folder / kind).glob("*.yaml")):
        file = f"{kind}/{path.name}"
        try:
            loaded = load_yaml(path)
        except UnreadableError as unreadable:
            findings.error((file, 1), "", "", unreadable.code)
            continue
        fields = Fields(loaded, file, "", findings)
        if fields.good:
            _take_document(fields, take, drafts, file)
    return drafts


def _take_document(
    fields: Fields, take: Callable[[Fields], dict[str, Any]], drafts: Drafts, file: str
) -> None:
    recorded_at = fields.take("recorded_at", moment, None)
    content = take(fields)
    fields.warn_unknown()
    if fields.good:
        drafts.good.append(Draft(file, content, recorded_at))
    elif isinstance(content["id"], str):
        drafts.broken_ids.add(content["id"])


def take_schedule(fields: Fields) -> dict[str, Any]:
    """Give the fields of `SchedulePublished`; notes what is wrong."""
    week = fields.inner("week", required=True)
    days = {}
    for name in week.names():
        if name in get_args(Weekday):
            days[name] = [_checkpoint(week, c) for c in week.each(name)]
        else:
            week.fail(f"week.{name}", name, "not_one_of", allowed=", ".join(get_args(Weekday)))
    fields.good &= week.good
    return {
        "id": fields.take("id", text),
        "regency": fields.take("regency", text),
        "effective_from": fields.take("effective_from", day),
        "slack_minutes": fields.take("slack_minutes", number(0)),
        "on_holidays": fields.take("on_holidays", boolean, default=False),
        "week": days,
    }


def _checkpoint(week: Fields, fields: Fields) -> dict[str, Any]:
    checkpoint = {
        "name": fields.take("name", checkpoint_name),
        "opens": fields.take("opens", clock_time),
        "due": fields.take("due", clock_time),
        "closes": fields.take("closes", clock_time),
        "kind": fields.take("kind", one_of(get_args(CheckpointKind))),
        "direction": fields.take("direction", one_of(get_args(Direction))),
    }
    fields.warn_unknown()
    if fields.good and checkpoint["closes"] < checkpoint["opens"]:
        fields.fail_at("closes", "end_before_beginning")
    elif fields.good and not checkpoint["opens"] <= checkpoint["due"] <= checkpoint["closes"]:
        fields.warn_at("due", "due_outside")
    week.good &= fields.good
    return checkpoint


def take_rule_set(fields: Fields) -> dict[str, Any]:
    """Give the fields of `RuleSetPublished` but the digest; notes what is wrong."""
    counting, tiers = fields.inner("counting"), fields.inner("tiers")
    content = {
        "id": fields.take("id", text),
        "version": fields.take("version", number(0)),
        "legal_basis": fields.take("legal_basis", text, ""),
        "regency": fields.take("regency", text),
        "applies_to": _classes(fields),
        "effective_from": fields.take("effective_from", day),
        "counting": {
            "evidence_window_workdays": counting.take("evidence_window_workdays", number(0), 3),
            "min_presence_marks": counting.take("min_presence_marks", number(0), 1),
            "run_crosses_year": counting.take("run_crosses_year", boolean, default=True),
            "lateness_day_minutes": counting.take("lateness_day_minutes", number(1), None),
        },
        "tiers": {name: _ladder(tiers, name) for name in ("cumulative", "consecutive")},
    }
    counting.warn_unknown()
    tiers.warn_unknown()
    fields.good &= counting.good and tiers.good
    return content


def _classes(fields: Fields) -> list[str]:
    classes = []
    for i, item in enumerate(fields.items("applies_to", required=True)):
        if item in get_args(Employment):
            classes.append(item)
        else:
            allowed = ", ".join(get_args(Employment))
            fields.fail(f"applies_to[{i}]", item, "not_one_of", allowed=allowed)
    return classes


def _ladder(tiers: Fields, name: str) -> list[dict[str, Any]]:
    ladder: list[dict[str, Any]] = []
    for fields in tiers.each(name):
        tier = {
            "days": fields.take("days", number(1)),
            "level": fields.take("level", one_of(get_args(Level))),
            "sanction": fields.take("sanction", text),
            "article": fields.take("article", text),
        }
        fields.warn_unknown()
        if fields.good and any(tier["days"] == other["days"] for other in ladder):
            fields.fail_at("days", "doubled_days")
        tiers.good &= fields.good
        ladder.append(tier)
    return ladder


def checkpoint_name(cell: str) -> str:
    """Read a checkpoint's name; no `;`, by which tables join names (E2).

    Errors: UnreadableError.
    """
    if ";" in cell:
        raise UnreadableError(code="joins_names")
    return cell


def clock_time(value: str) -> int:
    """Read `HH:MM`, which may be past midnight as `30:00`. Units: minutes.

    Errors: UnreadableError.
    """
    match = _CLOCK_TIME.fullmatch(value)
    if match is None:
        raise UnreadableError(code="not_a_clock_time")
    return int(match[1]) * 60 + int(match[2])


def number(least: int) -> Callable[[str], int]:
    """Read a whole number of at least `least`. Errors: UnreadableError."""

    def read(value: str) -> int:
        if not _NUMBER.fullmatch(value) or not least <= int(value) <= MOST:
            raise UnreadableError(code="not_a_number", least=str(least))
        return int(value)

    return read


def boolean(value: str) -> bool:
    """Read `true` or `false`. Errors: UnreadableError."""
    if value.lower() not in ("true", "false"):
        raise UnreadableError(code="not_a_boolean")
    return value.lower() == "true"
