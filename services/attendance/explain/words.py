"""An explained day in the words of its reader: Indonesian, with an English twin."""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from typing import Any

import yaml
from rich.console import RenderableType
from rich.table import Table

from services.attendance.explain.days import Explained

LANGUAGES = ("id", "en")
_MINUTE = len("2026-01-31T07:30")


@cache
def texts(language: str) -> dict[str, Any]:
    """Give the texts of a language. Errors: KeyError for one that there is not."""
    if language not in LANGUAGES:
        raise KeyError(language)
    path = resources.files(__package__) / "texts" / f"{language}.yaml"
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def reasons(day: Explained, language: str) -> list[str]:
    """Say why a day reads as it does, a sentence each."""
    return list(_reasons(day, texts(language)))


def remedy(day: Explained, language: str) -> str:
    """Say what would change the day."""
    found: str = texts(language)["change"][day.status]
    return found


def _reasons(day: Explained, say: dict[str, Any]) -> Iterator[str]:
    yield from _windows(day, say)
    if day.late_minutes:
        yield say["late"].format(minutes=day.late_minutes)
    if day.early_minutes:
        yield say["early"].format(minutes=day.early_minutes)
    for excuse, at in day.revoked.items():
        yield say["letter_revoked"].format(excuse=excuse, known=_minute(at))
    if day.excuse_id is not None:
        known = _minute(day.known.get(day.excuse_id, "-"))
        yield say["letter"].format(excuse=day.excuse_id, known=known)
    if day.outage_id is not None:
        yield say["outage"].format(outage=day.outage_id)
    if day.window_from is not None:
        form = say["window"] if day.status == "pending" else say["window_over"]
        yield form.format(start=day.window_from, left=day.window_left)
    yield from _counting(day, say)
    form = say["said_again"] if day.revision > 1 else say["said"]
    yield form.format(known=_minute(day.said_at), revision=day.revision)


def _windows(day: Explained, say: dict[str, Any]) -> Iterator[str]:
    if day.status == "off":
        if day.off_because is not None:
            yield say["off_because"][day.off_because].format(schedule=day.schedule_id)
        return
    if day.schedule_id is not None:
        yield say["schedule"].format(schedule=day.schedule_id)
    if not day.strays and not any(point.met_by for point in day.checkpoints):
        yield say["nothing"]
        return
    for point in day.checkpoints:
        times = _list(point.met_by)
        span = {"name": point.name, "opens": point.opens, "closes": point.closes}
        if not point.presence:
            yield say["apel"].format(times=times or say["apel_missed"], **span)
        elif point.met_by:
            yield say["met"].format(times=times, **span)
        else:
            yield say["missed"].format(**span)
    if day.strays:
        yield say["stray"].format(times=_list(day.strays))
    if day.marks_needed > 1:  # Else who was seen at all was present.
        yield say["marks"].format(marks=day.marks, needed=day.marks_needed)


def _counting(day: Explained, say: dict[str, Any]) -> Iterator[str]:
    if day.number is not None:
        yield say["count"].format(number=day.number)
    if day.rule_set is not None and day.status != "off":
        yield say["rule"].format(rule_set=day.rule_set)
    elif day.status == "unexcused":
        yield say["no_rule"]
    for threshold in day.reached:
        yield say["reached"].format(
            days=threshold.threshold_days,
            measure=say["measure"][threshold.measure],
            count=threshold.days,
            sanction=threshold.sanction.replace("_", " "),
            article=threshold.article,
            state=say["state"]["active" if threshold.active else "retracted"],
        )


def _minute(moment: str) -> str:
    return moment[:_MINUTE].replace("T", " ")


def _list(times: Iterable[str]) -> str:
    return ", ".join(times)


def structured(day: Explained, language: str) -> dict[str, Any]:
    """Give an explained day for machines: its facts, and the sentences of a language."""
    return {
        "date": day.on,
        "status": day.status,
        "revision": day.revision,
        "known_at": day.said_at,
        "schedule_id": day.schedule_id,
        "late_minutes": day.late_minutes,
        "early_minutes": day.early_minutes,
        "excuse_id": day.excuse_id,
        "outage_id": day.outage_id,
        "window_from": day.window_from,
        "rule_set": day.rule_set,
        "number": day.number,
        "check_ins": sorted({t for p in day.checkpoints for t in p.met_by} | set(day.strays)),
        "why": reasons(day, language),
        "what_would_change_it": remedy(day, language),
    }


def as_tables(
    employee: str, year: int, days: Iterable[Explained], language: str
) -> list[RenderableType]:
    """Give a year for a terminal: a heading, a row a day, and the law it rests on."""
    say = texts(language)
    columns = say["columns"]
    table = Table(title=say["title"].format(employee=employee, year=year), show_lines=True)
    for name in ("date", "status", "why", "change"):
        table.add_column(columns[name], ratio=3 if name == "why" else None)
    for day in days:
        why = "\n".join(reasons(day, language))
        table.add_row(day.on, say["status"][day.status], why, remedy(day, language))
    if not table.row_count:
        return [say["empty"].format(year=year)]
    return [table, "\n", say["legal"]]
