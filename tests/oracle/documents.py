"""Reads the YAML documents of a dataset; every scalar is text (A5)."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml

from tests.oracle.model import GROUPS, LEVELS, Checkpoint, RuleSet, Schedule, Source, Tier
from tests.oracle.times import Moment, read_clock, read_date, read_moment

T = TypeVar("T")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NOTHING = {"", "null", "~", "Null", "NULL"}


class Document(NamedTuple):
    """A document that could be read; `recorded` is None where it is known from the beginning."""

    source: Source
    content: Schedule | RuleSet
    recorded: Moment | None


def read_documents(
    folder: Path, read: Callable[[dict[str, Any]], Schedule | RuleSet]
) -> tuple[list[Document], list[Source]]:
    """Read a folder's documents by name; a file that cannot be read is one bad row (A17)."""
    good: list[Document] = []
    bad: list[Source] = []
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else []:
        source = Source(f"{folder.name}/{path.name}", 1)
        try:
            tree = yaml.load(path.read_bytes().decode("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506  # Makes text only, never objects.
            recorded = tree.get("recorded_at")
            good.append(Document(source, read(tree), read_moment(recorded) if recorded else None))
        except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError):
            bad.append(source)
    return good, bad


def read_schedule(tree: dict[str, Any]) -> Schedule:
    """Errors: ValueError, KeyError, TypeError, AttributeError."""
    week = tree["week"] or {}
    if not set(week) <= set(WEEKDAYS):
        msg = f"unknown weekday in {sorted(week)}"
        raise ValueError(msg)
    return Schedule(
        filled(tree["id"]),
        filled(tree["regency"]),
        read_date(tree["effective_from"]),
        timedelta(minutes=int(tree.get("slack_minutes", "0"))),
        one_of(tree.get("on_holidays", "false").lower(), {"true": True, "false": False}),
        tuple(tuple(read_checkpoint(one) for one in week.get(name) or []) for name in WEEKDAYS),
    )


def read_checkpoint(tree: dict[str, str]) -> Checkpoint:
    opens, due, closes = (read_clock(tree[key]) for key in ("opens", "due", "closes"))
    if closes < opens:
        msg = "closes before it opens"
        raise ValueError(msg)
    return Checkpoint(
        filled(tree["name"]),
        opens,
        due,
        closes,
        one_of(tree["kind"], {"presence": True, "apel": False}),
        one_of(tree["direction"], {"in": "in", "out": "out", "any": "any"}),
    )


def read_rule_set(tree: dict[str, Any]) -> RuleSet:
    """Errors: ValueError, KeyError, TypeError, AttributeError."""
    counting = tree.get("counting") or {}
    lateness = counting.get("lateness_day_minutes", "")
    tiers = tree.get("tiers") or {}
    classes = frozenset(tree["applies_to"])
    if not classes <= set(GROUPS):
        msg = f"unknown class in {sorted(classes)}"
        raise ValueError(msg)
    return RuleSet(
        filled(tree["id"]),
        int(tree["version"]),
        filled(tree["regency"]),
        classes,
        read_date(tree["effective_from"]),
        int(counting.get("evidence_window_workdays", "3")),
        int(counting.get("min_presence_marks", "1")),
        one_of(counting.get("run_crosses_year", "true").lower(), {"true": True, "false": False}),
        None if lateness in NOTHING else int(lateness),
        tuple(read_tier(one) for one in tiers.get("cumulative") or []),
        tuple(read_tier(one) for one in tiers.get("consecutive") or []),
    )


def read_tier(tree: dict[str, str]) -> Tier:
    if tree["level"] not in LEVELS:
        msg = f"unknown level {tree['level']!r}"
        raise ValueError(msg)
    return Tier(int(tree["days"]), tree["level"], filled(tree["sanction"]), tree["article"])


def filled(text: str) -> str:
    if not text:
        msg = "blank where something is needed"
        raise ValueError(msg)
    return text


def one_of(text: str, meanings: dict[str, T]) -> T:
    if text not in meanings:
        msg = f"{text!r} is none of {sorted(meanings)}"
        raise ValueError(msg)
    return meanings[text]
